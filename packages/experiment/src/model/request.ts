import type { Action } from './experiment.js'

/** The request of an HTTP action. */
export function requestOf({ method = 'POST', headers = {}, body }: Extract<Action, { type: 'http' }>): RequestInit {
  return {
    method,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }
}

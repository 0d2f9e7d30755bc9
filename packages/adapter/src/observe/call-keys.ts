import { inspect } from 'node:util'
import { keyOfArguments } from '../operations/key-of-arguments.js'

/** The header that names an idempotency key. @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ */
const HEADER = 'idempotency-key'
/** The names of an idempotency key in arguments: of Stripe's client, and of clients that are generated from an API. */
const FIELDS = ['idempotencyKey', 'idempotency_key'] as const
const MAX_KEY_LENGTH = 200

const SIGNAL = /AbortSignal \{ aborted: (?:true|false) \}/g

/**
 * Returns what tells calls of one operation from each other: their arguments, without the idempotency key and the state of
 * signals, which differ from one attempt to the next.
 */
export function defaultKeyOf(args: readonly unknown[], idempotencyKey: string | undefined): string | undefined {
  const own = idempotencyKey === undefined ? undefined : inspect(idempotencyKey)
  return keyOfArguments(args, (text) => {
    const withoutSignals = text.replace(SIGNAL, 'AbortSignal')
    return own === undefined ? withoutSignals : withoutSignals.replaceAll(own, '')
  })
}

/** Returns the idempotency key in arguments: the header `idempotency-key` of one with `headers`, or its field `idempotencyKey`. */
export function defaultIdempotencyKeyOf(args: readonly unknown[]): string | undefined {
  for (const arg of args) {
    if (typeof arg !== 'object' || arg === null) continue
    for (const field of FIELDS) {
      const value: unknown = Reflect.get(arg, field)
      if (typeof value === 'string') return value
    }
    const value = headerIn(Reflect.get(arg, 'headers'))
    if (value !== undefined) return value
  }
  return undefined
}

/** Makes a bounded string of what a function of the caller has returned. */
export function boundedKey(key: unknown): string | undefined {
  if (key === undefined || key === null) return undefined
  return typeof key === 'string' && key.length <= MAX_KEY_LENGTH ? key : keyOfArguments([key])
}

function headerIn(headers: unknown): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined
  const value: unknown =
    'get' in headers && typeof headers.get === 'function'
      ? Reflect.apply(headers.get, headers, [HEADER])
      : Object.entries(headers).find(([name]) => name.toLowerCase() === HEADER)?.[1]
  return typeof value === 'string' ? value : undefined
}

/** An answer of an HTTP service. */
export interface HttpAnswer {
  readonly statusCode: number
  readonly statusText: string
  /** Headers that belong to the outage, beside those of the body. */
  readonly headers: Readonly<Record<string, string>>
}

/** What an HTTP service answers when it cannot serve, is asked too often, or does not know the caller any more (RFC 9110, RFC 6585, RFC 6750). */
export const httpAnswers = {
  'http/503-retry-after': (retryAfterMs: number) => answer(503, 'Service Unavailable', retryAfter(retryAfterMs)),
  'http/429': (retryAfterMs: number) => answer(429, 'Too Many Requests', retryAfter(retryAfterMs)),
  'http/500': () => answer(500, 'Internal Server Error'),
  'http/502': () => answer(502, 'Bad Gateway'),
  'http/504': () => answer(504, 'Gateway Timeout'),
  'http/401': () =>
    answer(401, 'Unauthorized', {
      'www-authenticate': 'Bearer error="invalid_token", error_description="The access token expired"',
    }),
} satisfies Record<string, (retryAfterMs: number) => HttpAnswer>

/** The name of an answer. */
export type HttpAnswerPreset = keyof typeof httpAnswers

/** Names of all answers. */
export const httpAnswerNames = Object.keys(httpAnswers) as [HttpAnswerPreset, ...HttpAnswerPreset[]]

function answer(statusCode: number, statusText: string, headers: HttpAnswer['headers'] = {}): HttpAnswer {
  return { statusCode, statusText, headers }
}

/** Whole seconds are all that the header can say. */
function retryAfter(ms: number): HttpAnswer['headers'] {
  return { 'retry-after': String(Math.ceil(ms / 1_000)) }
}

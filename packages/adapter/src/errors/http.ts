/** An answer of an HTTP service. */
export interface HttpAnswer {
  readonly statusCode: number
  readonly statusText: string
  /** The headers that belong to the outage. Those of the body are added. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * The answers of an HTTP service that is unavailable, rate limited, or gets an expired token (RFC 9110, RFC 6585, RFC
 * 6750).
 */
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

/** The name of an HTTP answer preset. */
export type HttpAnswerPreset = keyof typeof httpAnswers

/** The names of all HTTP answer presets. */
export const httpAnswerNames = Object.keys(httpAnswers) as [HttpAnswerPreset, ...HttpAnswerPreset[]]

function answer(statusCode: number, statusText: string, headers: HttpAnswer['headers'] = {}): HttpAnswer {
  return { statusCode, statusText, headers }
}

/** The `retry-after` header, which holds whole seconds, rounded up. */
function retryAfter(ms: number): HttpAnswer['headers'] {
  return { 'retry-after': String(Math.ceil(ms / 1_000)) }
}

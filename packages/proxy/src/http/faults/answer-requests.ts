import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { STATUS_CODES } from 'node:http'
import type { Answer } from '../answer.js'
import { assertHeaders, linesOf } from '../header-check.js'
import { hasHeader } from '../header-lines.js'
import { affectRequests, httpProxyTarget } from '../target.js'
import { orAfter } from './or-after.js'
import { gateAt, reachedOption } from './reached-option.js'

const NAME = 'proxy/answer-requests'
const options = {
  statusCode: option.optional(option.count('Status of the answer.', 200, 599), 503),
  headers: option.optional(option.fields('Headers of the answer, such as `retry-after`.'), {}),
  body: option.optional(option.text('Text of the answer. Default: the reason phrase of the status.')),
  afterMs: option.optional(option.durationMs('Time until the answer, in ms.'), 0),
  ...reachedOption,
}

/** Options of {@link answerRequests}. */
export type AnswerRequestsOptions = OptionsOf<typeof answerRequests>

/**
 * Answers requests in place of the service.
 *
 * Models a gateway before a service that is overloaded or down. With `reached: 'upstream'` the service has handled the
 * request and its answer is lost, so that a client that tries again has it done twice. The content type is
 * `text/plain; charset=utf-8` unless `headers` has another one. `Date` is added.
 *
 * An operation is a request; its name is `GET /items`, without the query.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if a header is none that HTTP allows, or says where the message ends.
 */
export const answerRequests = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Answers requests in place of the service, before or after the service has handled them.',
  options,
  target: httpProxyTarget,
  check({ headers }) {
    assertHeaders('headers', headers)
  },
  inject(proxy, given, context) {
    const { afterMs, reached } = given
    const answer = answerOf(given)
    const gate = orAfter(afterMs, (passage) => passage.answer(answer))
    affectRequests(proxy, NAME, given, context, gateAt(reached, gate))
  },
})

function answerOf({
  statusCode,
  headers,
  body,
}: {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body?: string | undefined
}): Answer {
  const lines = linesOf(headers)
  const typed = hasHeader(lines, 'content-type') ? lines : [...lines, 'Content-Type', 'text/plain; charset=utf-8']
  return { statusCode, headers: typed, body: Buffer.from(body ?? STATUS_CODES[statusCode] ?? '') }
}

import { ChaosError } from '@chaos/core'
import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { answeredRequestSeam } from '../seam.js'
import { httpTarget } from '../target.js'
import { httpAnswerNames, httpAnswers } from '../../errors/http.js'

const options = {
  answer: option.optional(option.oneOf(httpAnswerNames, 'Preset of the answer.'), 'http/503-retry-after'),
  retryAfterMs: option.optional(
    option.durationMs('Time in the retry-after header, in ms; sent in whole seconds, rounded up.'),
    1_000,
  ),
  body: option.optional(option.text('Text of the answer. Default: the reason phrase of the status.')),
  contentType: option.optional(option.text('Value of the content-type header.'), 'text/plain; charset=utf-8'),
  afterMs: option.optional(option.durationMs('Time until the answer, in ms.'), 0),
}

/** Options of {@link answerRequests}. */
export type AnswerRequestsOptions = OptionsOf<typeof answerRequests>

/**
 * Answers requests in place of the service, which never gets them.
 *
 * Models a service behind a gateway that is unavailable, rate limited, or no longer accepts the caller's token. On a
 * server of this process, it models an overloaded server. The fault acts beneath `fetch`, undici and the Node.js
 * client, even if the application captured their functions earlier. A request that is given up while it waits ends at
 * once, with the reason of its signal.
 *
 * An operation is a request; its name is `GET http://127.0.0.1:8080/items` at a client, `GET /items` at a server,
 * without the query.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `contentType` is not a valid header value or a time does not fit a
 *   timer.
 * @see Undici's MockAgent, which also answers, but is a separate dispatcher that `fetch` of some Node.js versions
 *   ignores.
 */
export const answerRequests = defineFault({
  name: 'adapter/answer-requests',
  kind: 'standing',
  summary: 'Answers requests in place of the service, which never gets them.',
  options,
  check({ contentType }) {
    if (!/^[\t\x20-\x7e]+$/.test(contentType))
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected \`contentType\` to be a header value (visible ASCII characters, spaces and tabs), got ${JSON.stringify(contentType.slice(0, 200))}.`,
      )
  },
  target: httpTarget,
  inject(target, { answer, retryAfterMs, body, contentType, afterMs }, context) {
    const made = httpAnswers[answer](retryAfterMs)
    const content = Buffer.from(body ?? made.statusText)
    const whole = {
      ...made,
      headers: { ...made.headers, 'content-type': contentType, 'content-length': String(content.length) },
    }
    answeredRequestSeam(target, context, ({ later }) =>
      later((rest) => context.hold({ afterMs, run: () => rest.answer(whole, content) })),
    )
  },
})

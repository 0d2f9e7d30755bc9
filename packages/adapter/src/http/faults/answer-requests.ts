import { ChaosError } from '@chaos/core'
import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { requestSeam } from '../seam.js'
import { httpTarget } from '../target.js'
import { httpAnswerNames, httpAnswers } from '../../errors/http.js'

const options = {
  answer: option.optional(
    option.oneOf(httpAnswerNames, 'What the service answers. Default: http/503-retry-after.'),
    'http/503-retry-after',
  ),
  retryAfterMs: option.optional(
    option.durationMs('When to come back, in ms; told in whole seconds, rounded up. Default: 1000.'),
    1_000,
  ),
  body: option.optional(option.text('The text of the answer. Default: the status in words.')),
  contentType: option.optional(
    option.text('What `content-type` says of the text. Default: text/plain; charset=utf-8.'),
    'text/plain; charset=utf-8',
  ),
  afterMs: option.optional(option.durationMs('Time until the answer comes, in ms. Default: 0.'), 0),
}

/** Options of {@link answerRequests}. */
export type AnswerRequestsOptions = OptionsOf<typeof answerRequests>

/**
 * Answers requests in the place of the service, which never gets them.
 *
 * Models a service behind a gateway that cannot serve, is asked too often, or does not know the caller any more; or, on a server of
 * this process, one that is overloaded itself. It acts beneath `fetch`, undici and Node.js' own client, also where the application captured their functions
 * before. A request that is given up while it waits ends at once, with the reason of its signal. An operation is a request; its name is
 * `GET http://127.0.0.1:8080/items` at a client, `GET /items` at a server, without the query.
 *
 * @see Undici's MockAgent, which answers too, but is another dispatcher, and is not obeyed by the `fetch` of every version of Node.js.
 */
export const answerRequests = defineFault({
  name: 'adapter/answer-requests',
  kind: 'standing',
  summary: 'Answers requests in the place of the service, which never gets them.',
  options,
  check({ contentType }) {
    if (!/^[\t\x20-\x7e]+$/.test(contentType))
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected \`contentType\` to be what a header can hold (visible ASCII characters and blanks), got ${JSON.stringify(contentType.slice(0, 200))}.`,
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
    requestSeam(target, context, ({ later }) =>
      later((rest) => context.hold({ afterMs, run: () => rest.answer(whole, content) })),
    )
  },
})

import type { InjectionContext } from '@chaos/core/authoring'
import type { Dispatched, Dispatcher } from '../../http/undici/dispatcher.js'
import { requestsOfMock } from '../../http/undici/mocked.js'
import { memberReplacer, type Method } from '../../operations/member-replacer.js'
import type { Recorder, Recording } from '../recorder.js'
import { headersOf } from './undici-headers.js'

/** The steps of a handler by which it learns of its answer, in both of undici's interfaces, and what each tells. */
const STEPS: Readonly<Record<string, (recording: Recording, args: readonly unknown[]) => void>> = {
  onHeaders: ({ answered }, [status]) => answered(Number(status)),
  onResponseStart: ({ answered }, [, status]) => answered(Number(status)),
  onComplete: ({ complete }) => complete(),
  onResponseEnd: ({ complete }) => complete(),
  onError: ({ failed }, [error]) => failed(error),
  onResponseError: ({ failed }, [, error]) => failed(error),
}

/** Records the requests that a mock of undici answers, which sends nothing. */
export function watchMock(dispatcher: Dispatcher, context: InjectionContext, recorder: Recorder): void {
  const replaceMember = memberReplacer(context)
  requestsOfMock(dispatcher, context, ({ name, args, proceed }) => {
    const [options, handler] = args as Dispatched
    const { method, path: url } = options
    const recording = recorder.begin({
      operation: name,
      args: [{ method, url, headers: headersOf(options) }],
      identity: [url],
    })
    for (const [step, tell] of Object.entries(STEPS)) {
      if (typeof Reflect.get(handler, step) !== 'function') continue
      replaceMember(handler, step, (original, restore) => {
        return function (this: unknown, ...given) {
          restore()
          if (!context.signal.aborted) tell(recording, given)
          return Reflect.apply(original as Method, this, given)
        }
      })
    }
    try {
      return recording.run(proceed)
    } catch (error) {
      recording.failed(error)
      throw error
    }
  })
}

import type { InjectionContext } from '@chaos/core/authoring'
import { AsyncLocalStorage } from 'node:async_hooks'
import { memberReplacer, type Method } from '../../operations/member-replacer.js'
import type { ActOnRequest, RestOfRequest } from '../request-call.js'
import { hasBody } from '../answer-body.js'
import { requestName } from './dispatcher.js'
import { follow, type BelongsTo, type UndiciRequest } from './requests.js'
import { watchedGlobal } from './watched-global.js'

/** The global under which the library that nock and MSW share keeps its interceptor of `fetch`. */
const FETCH_INTERCEPTOR = Symbol.for('fetch-interceptor')

/** That library's way to answer a request. */
interface Controller {
  readonly respondWith: (response: Response) => Promise<void> | void
  readonly errorWith: (error: Error) => Promise<void> | void
  readonly source: { readonly passthrough: () => unknown }
}

type Listener = (event: { readonly request: Request; readonly controller: Controller }) => unknown

interface Emitter {
  listeners: (event: string) => Listener[]
}

/**
 * Requests of `fetch` that an interceptor of nock or MSW gets. The fault acts as the first of the interceptor's
 * listeners.
 *
 * @returns Whether the fault has decided about a request that the interceptor then passed on to the network.
 */
export function requestsOfInterceptor(
  global: typeof globalThis,
  context: InjectionContext,
  act: ActOnRequest,
): BelongsTo {
  const known = new WeakSet()
  const passedOn = new WeakSet<UndiciRequest>()
  const replaceMember = memberReplacer(context)
  let passing: AsyncLocalStorage<boolean> | undefined
  /** Marks what the interceptor sends by the real `fetch`. */
  const mark = (source: Controller['source']): void => {
    if (passing === undefined) {
      const storage = (passing = new AsyncLocalStorage<boolean>())
      context.defer(() => storage.disable())
      follow(context, 'undici:request:create', ({ request }) => {
        if (storage.getStore() === true) passedOn.add(request)
      })
    }
    const storage = passing
    replaceMember(
      source,
      'passthrough',
      (original) =>
        function (this: unknown, ...args) {
          const pass = (): unknown => Reflect.apply(original as Method, this, args)
          return context.signal.aborted ? pass() : storage.run(true, pass)
        },
    )
  }
  const onRequest = async (request: Request, controller: Controller): Promise<boolean> => {
    const { origin, pathname } = new URL(request.url)
    const name = requestName({ origin, path: pathname, method: request.method })
    if (name === undefined) return false
    mark(controller.source)
    if (!context.operation(name).shouldInject([request])) return false
    return new Promise((resolve) => {
      const go = (answer?: Promise<void> | void): void => {
        request.signal.removeEventListener('abort', onAbort)
        resolve(answer !== undefined)
      }
      let drop = (): void => undefined
      const onAbort = (): void => {
        drop()
        resolve(true)
      }
      const rest: RestOfRequest = {
        proceed: () => go(),
        fail: (error) => go(Promise.resolve(controller.errorWith(error))),
        answer: ({ statusCode, statusText, headers }, body) =>
          go(
            Promise.resolve(
              controller.respondWith(
                new Response(hasBody(request.method, statusCode) ? body : null, {
                  status: statusCode,
                  statusText,
                  headers: { ...headers },
                }),
              ),
            ),
          ),
      }
      request.signal.addEventListener('abort', onAbort)
      act({
        name,
        args: [request],
        proceed: rest.proceed,
        fail: rest.fail,
        later(keep) {
          const held = keep(rest)
          drop = () => held.drop()
        },
      })
    })
  }
  const cover = (interceptor: unknown): void => {
    if (typeof interceptor !== 'object' || interceptor === null || known.has(interceptor)) return
    const emitter: unknown = Reflect.get(interceptor, 'emitter')
    if (typeof emitter !== 'object' || emitter === null || !('listeners' in emitter)) return
    known.add(interceptor)
    context.patch(
      emitter,
      'listeners',
      (below) =>
        function listeners(this: Emitter, event: string): Listener[] {
          const others = below.call.call(this, event) as Listener[]
          if (event !== 'request') return others
          let isOver = false
          const first: Listener = async ({ request, controller }) => {
            isOver = await onRequest(request, controller)
          }
          return [
            first,
            ...others.map(
              (listener): Listener =>
                function (this: unknown, ...args) {
                  return isOver ? undefined : listener.apply(this, args)
                },
            ),
          ]
        },
    )
    // Uninstalling deletes the global, and the watch with it.
    if ('clearInstance' in interceptor)
      context.patch(
        interceptor,
        'clearInstance',
        (below) =>
          function clearInstance(this: unknown): unknown {
            const answer: unknown = below.call.call(this)
            watch()
            return answer
          },
      )
  }
  const watch = (): void => watchedGlobal(global, FETCH_INTERCEPTOR, context, cover)
  cover(Reflect.get(global, FETCH_INTERCEPTOR))
  watch()
  return (request) => passedOn.has(request)
}

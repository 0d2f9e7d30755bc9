import type { SeamOperation } from '@chaos/core/authoring'
import type { FilePlace } from './places.js'

/** How an operation was asked for: its answer in place, or later. */
export type FileForm = Pick<SeamOperation, 'fail' | 'later'>

/** Whoever is told the outcome of a callback form. */
interface FileRequest {
  oncomplete: (error: Error | null, ...results: unknown[]) => unknown
}

/** The form of one call: a request or a step that is told (callbacks and streams), a promise, or an answer in place. */
export function formOf(place: FilePlace, self: unknown, args: readonly unknown[], proceed: () => unknown): FileForm {
  const tell = listenerIn(place, self, args)
  if (tell !== undefined)
    return {
      fail: (error) => process.nextTick(tell, error),
      later: (keep) => void keep({ proceed: () => void proceed(), fail: tell }),
    }
  if (!args.some((arg) => typeof arg === 'symbol')) return { fail: (error) => failInPlace(place.key, args, error) }
  return {
    fail: (error) => Promise.reject(error),
    later: (keep) => new Promise((resolve, reject) => void keep({ proceed: () => resolve(proceed()), fail: reject })),
  }
}

/** Calls `listener` with the descriptor when an `open` has one, in whichever form. */
export function whenOpened(args: readonly unknown[], answer: unknown, listener: (descriptor: number) => void): void {
  if (typeof answer === 'number') listener(answer)
  if (answer instanceof Promise)
    void answer.then(
      (handle: { readonly fd: number }) => listener(handle.fd),
      () => undefined,
    )
  const request = args.find(isRequest)
  if (request === undefined) return
  const { oncomplete } = request
  request.oncomplete = function (this: unknown, ...outcome) {
    const [error, descriptor] = outcome
    if (error === null && typeof descriptor === 'number') listener(descriptor)
    return Reflect.apply(oncomplete, this, outcome)
  }
}

function listenerIn(
  { tell }: FilePlace,
  self: unknown,
  args: readonly unknown[],
): ((error: Error) => void) | undefined {
  if (tell !== undefined) return (error) => tell(self as never, error)
  const request = args.find(isRequest)
  return request === undefined ? undefined : (error) => void request.oncomplete(error)
}

function isRequest(value: unknown): value is FileRequest {
  return typeof value === 'object' && value !== null && 'oncomplete' in value && typeof value.oncomplete === 'function'
}

/** Most functions of the binding throw, but some are asked whether a file is there. */
function failInPlace(key: string, args: readonly unknown[], error: Error & { readonly code?: unknown }): unknown {
  if (key === 'existsSync') return false
  const isAbsent = error.code === 'ENOENT' || error.code === 'ENOTDIR'
  // `throwIfNoEntry: false` of `statSync` and `lstatSync`.
  if (isAbsent && /^l?stat$/.test(key) && args[3] === false) return undefined
  // Where Node.js makes the error itself, it does so of what it is told in an object that it hands over.
  const told = args.at(-1)
  if (typeof told !== 'object' || told === null || ArrayBuffer.isView(told) || args.at(-2) !== undefined)
    return throws(error)
  const { errno, code, syscall, path, dest } = error as unknown as Readonly<Record<string, unknown>>
  if (/^(?:access|l?stat)$/.test(key)) return void Object.assign(told, { errno, code, syscall })
  for (const name of ['code', 'path', 'dest']) Reflect.deleteProperty(error, name)
  return throws(Object.assign(error, { code }, path === undefined ? {} : { path }, dest === undefined ? {} : { dest }))
}

function throws(error: Error): never {
  throw error
}

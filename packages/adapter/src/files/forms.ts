import type { SeamOperation } from '@chaos/core/authoring'
import { types } from 'node:util'
import type { FilePlace } from './places.js'

/** The form of an operation: its answer is synchronous or comes later. */
export type FileForm = Pick<SeamOperation, 'fail' | 'later'>

/** The libuv request of a callback form, which gets the outcome. */
interface FileRequest {
  oncomplete: (error: Error | null, ...results: unknown[]) => unknown
}

/** Returns the form of a call: with a callback (callbacks and streams), a promise, or a synchronous answer. */
export function formOf(place: FilePlace, self: unknown, args: readonly unknown[], proceed: () => unknown): FileForm {
  const report = listenerIn(place, self, args)
  if (report !== undefined)
    return {
      fail: (error) => process.nextTick(report, error),
      later: (keep) => void keep({ proceed: () => void proceed(), fail: report }),
    }
  if (!args.some((arg) => typeof arg === 'symbol')) return { fail: (error) => failInPlace(place.key, args, error) }
  return {
    fail: (error) => Promise.reject(error),
    later: (keep) => new Promise((resolve, reject) => void keep({ proceed: () => resolve(proceed()), fail: reject })),
  }
}

/** Calls `listener` with the descriptor once an `open` of any form has one. */
export function whenOpened(args: readonly unknown[], answer: unknown, listener: (descriptor: number) => void): void {
  if (typeof answer === 'number') listener(answer)
  if (types.isPromise(answer))
    void (answer as Promise<{ readonly fd: number }>).then(
      (handle) => listener(handle.fd),
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
  { reportFailure }: FilePlace,
  self: unknown,
  args: readonly unknown[],
): ((error: Error) => void) | undefined {
  if (reportFailure !== undefined) return (error) => reportFailure(self as never, error)
  const request = args.find(isRequest)
  return request === undefined ? undefined : (error) => void request.oncomplete(error)
}

function isRequest(value: unknown): value is FileRequest {
  return typeof value === 'object' && value !== null && 'oncomplete' in value && typeof value.oncomplete === 'function'
}

/** Fails a synchronous call. Most functions of the binding throw, but some only report whether a file exists. */
function failInPlace(key: string, args: readonly unknown[], error: Error & { readonly code?: unknown }): unknown {
  if (key === 'existsSync') return false
  const isAbsent = error.code === 'ENOENT' || error.code === 'ENOTDIR'
  // `throwIfNoEntry: false` of `statSync` and `lstatSync`.
  if (isAbsent && /^l?stat$/.test(key) && args[3] === false) return undefined
  // Older versions of Node.js pass a context object as the last argument and make the error from the fields that the
  // binding sets there.
  const errorContext = args.at(-1)
  if (
    typeof errorContext !== 'object' ||
    errorContext === null ||
    ArrayBuffer.isView(errorContext) ||
    args.at(-2) !== undefined
  )
    return throws(error)
  const { errno, code, syscall, path, dest } = error as unknown as Readonly<Record<string, unknown>>
  if (/^(?:access|l?stat)$/.test(key)) return void Object.assign(errorContext, { errno, code, syscall })
  for (const name of ['code', 'path', 'dest']) Reflect.deleteProperty(error, name)
  return throws(Object.assign(error, { code }, path === undefined ? {} : { path }, dest === undefined ? {} : { dest }))
}

function throws(error: Error): never {
  throw error
}

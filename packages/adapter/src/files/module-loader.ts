/**
 * Whether Node.js' module loader is who asks, for itself: beneath the frames of `fs` on the stack is one of the loader. What a module asks for
 * while it is loaded is the module's own.
 */
export function isModuleLoaderAsking(): boolean {
  const files = callers(isModuleLoaderAsking)
  const first = files.findIndex(isOfFs)
  const asking = files.slice(first).find((file) => !isOfFs(file))
  return first !== -1 && asking?.startsWith('node:internal/modules/') === true
}

function isOfFs(file: string): boolean {
  return /^node:(?:fs|internal\/fs\/)/.test(file)
}

/** The files of the frames beneath a function, nearest first. */
function callers(beneath: () => unknown): string[] {
  const { stackTraceLimit } = Error
  const prepare = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')
  try {
    Error.stackTraceLimit = 20
    Error.prepareStackTrace = (_error, frames) => frames.map((frame) => frame.getFileName() ?? '')
    const holder: { readonly stack?: string[] } = {}
    Error.captureStackTrace(holder, beneath)
    return (holder.stack ?? []).filter((file) => file !== '')
  } finally {
    Error.stackTraceLimit = stackTraceLimit
    if (prepare === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace')
    else Object.defineProperty(Error, 'prepareStackTrace', prepare)
  }
}

/**
 * Returns whether the module loader of Node.js itself requested the running operation: on the stack, a frame of the
 * loader is right beneath those of `fs`. Requests of a module that is being loaded do not count.
 */
export function isModuleLoaderAsking(): boolean {
  const files = callers(isModuleLoaderAsking)
  const first = files.findIndex(isFsFile)
  const asking = files.slice(first).find((file) => !isFsFile(file))
  return first !== -1 && asking?.startsWith('node:internal/modules/') === true
}

function isFsFile(file: string): boolean {
  return /^node:(?:fs|internal\/fs\/)/.test(file)
}

/** Returns the files of the stack frames beneath a function, nearest first. */
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

import { Socket } from 'node:net'

/** Returns the sockets of this thread that keep it alive. Unreferenced ones, such as those of an idle pool, are not among them. */
export function referencedSockets(): readonly Socket[] {
  const { _getActiveHandles } = process as unknown as { readonly _getActiveHandles: () => readonly unknown[] }
  return _getActiveHandles.call(process).filter((value): value is Socket => value instanceof Socket)
}

/** A handle in the diagnostic report of Node.js. */
interface ReportedHandle {
  readonly is_referenced?: boolean
  readonly remoteEndpoint?: object | string | null
}

/**
 * Returns whether this thread has connections besides the referenced ones, from the diagnostic report of Node.js, which takes
 * a few milliseconds.
 *
 * @returns `undefined` where the report would look up the name of each peer, which may take long: before Node.js 20.19.
 */
export function hasUnreferencedConnections(): boolean | undefined {
  const report = process.report as unknown as
    { excludeNetwork?: boolean; getReport: () => string | { readonly libuv?: readonly ReportedHandle[] } } | undefined
  const before = report?.excludeNetwork
  if (report === undefined || before === undefined) return undefined
  report.excludeNetwork = true
  try {
    const { libuv = [] } = report.getReport() as { readonly libuv?: readonly ReportedHandle[] }
    return libuv.some((handle) => handle.is_referenced === false && Boolean(handle.remoteEndpoint))
  } finally {
    report.excludeNetwork = before
  }
}

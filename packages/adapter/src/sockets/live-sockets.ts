import { builtin } from '@chaos/core/authoring'
import importedNet, { type Socket } from 'node:net'
import { hidden } from './hidden.js'
import { nativeObjects } from './native-objects.js'

const net = builtin('node:net', importedNet)

/** Connections of this thread. */
export interface LiveSockets {
  /** Oldest first. */
  readonly sockets: readonly Socket[]
  /**
   * `false` where Node.js does not tell of its native objects. Those that do not keep the thread alive are then missing, such as
   * those of an idle pool.
   */
  readonly isAll: boolean
}

/** Returns the sockets of this thread that have a connection. */
export function liveSockets(): LiveSockets {
  const handles = nativeObjects()?.filter(isHandle)
  if (handles === undefined) return { sockets: referencedSockets(), isAll: false }
  const owners = handles
    .sort((one, other) => one.getAsyncId() - other.getAsyncId())
    .map((handle) => hidden(handle, 'owner_symbol'))
  return { sockets: [...new Set(owners)].filter((owner): owner is Socket => owner instanceof net.Socket), isAll: true }
}

/** The native handle of a connection. */
interface Handle {
  readonly getAsyncId: () => number
}

function isHandle(value: object): value is Handle {
  return 'getAsyncId' in value && typeof value.getAsyncId === 'function'
}

/** Returns the sockets that keep this thread alive. */
function referencedSockets(): readonly Socket[] {
  const { _getActiveHandles } = process as unknown as { readonly _getActiveHandles: () => readonly unknown[] }
  return _getActiveHandles.call(process).filter((value): value is Socket => value instanceof net.Socket)
}

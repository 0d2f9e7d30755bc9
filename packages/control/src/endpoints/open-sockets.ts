import type { ChaosController } from '@chaos/core'
import { retireController } from '@chaos/core/authoring'
import { removeFile } from './socket-file.js'
import type { ControlEndpoint } from './unix-socket.js'

/** A socket of this process that is open or about to open. */
interface OpenSocket {
  readonly controller: ChaosController
  readonly endpoint: Promise<ControlEndpoint>
}

/**
 * State that exists once per process. A hot reload evaluates this module again, so the state is kept on `globalThis`.
 */
interface OpenSockets {
  /** Sockets by directory and name. */
  readonly byKey: Map<string, OpenSocket>
  /** Files that the process removes when it ends. */
  readonly files: Set<string>
  readonly onExit: () => void
}

const KEY = Symbol.for('@chaos/control/sockets@1')

function openSockets(): OpenSockets {
  const known = Reflect.get(globalThis, KEY) as OpenSockets | undefined
  if (known !== undefined) return known
  const files = new Set<string>()
  const made: OpenSockets = {
    byKey: new Map(),
    files,
    onExit: () => [...files].forEach((file) => removeFile(file)),
  }
  Object.defineProperty(globalThis, KEY, { value: made, configurable: true })
  return made
}

/** Removes files when the process ends, with one listener for all files. @returns Removes the files now. */
export function removeAtExit(paths: readonly string[]): () => void {
  const { files, onExit } = openSockets()
  if (files.size === 0) process.on('exit', onExit)
  for (const path of paths) files.add(path)
  return () => {
    for (const path of paths) {
      files.delete(path)
      removeFile(path)
    }
    if (files.size === 0) process.off('exit', onExit)
  }
}

/**
 * Opens a socket with this name. If the same controller has already opened it, the socket is shared. If another
 * controller has, that socket is closed first: after a hot reload, the app has a new controller and no reference to the
 * old one. The old controller is no longer listed once its last injection has ended.
 */
export async function openOnce(
  key: string,
  controller: ChaosController,
  open: () => Promise<ControlEndpoint>,
): Promise<ControlEndpoint> {
  const { byKey } = openSockets()
  const before = byKey.get(key)
  if (before?.controller === controller) return before.endpoint
  const opening: OpenSocket = { controller, endpoint: replaced() }
  byKey.set(key, opening)
  const forget = (): void => {
    if (byKey.get(key) === opening) byKey.delete(key)
  }
  try {
    const endpoint = await opening.endpoint
    void endpoint.closed.then(forget)
    return endpoint
  } catch (error) {
    forget()
    throw error
  }

  async function replaced(): Promise<ControlEndpoint> {
    // A socket that failed to open needs no closing.
    await before?.endpoint.then(
      (endpoint) => endpoint.close(),
      () => undefined,
    )
    if (before !== undefined) await retireController(before.controller)
    return open()
  }
}

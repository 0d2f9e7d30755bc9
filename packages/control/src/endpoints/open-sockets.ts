import { rmSync } from 'node:fs'
import type { ChaosController } from '@chaos/core'
import type { ControlEndpoint } from './unix-socket.js'

/** A socket of this process, open or about to open. */
interface OpenSocket {
  readonly controller: ChaosController
  readonly endpoint: Promise<ControlEndpoint>
}

/** What is one per process, however often this module is loaded: a hot reload evaluates it again. */
interface OpenSockets {
  /** By directory and name. */
  readonly byKey: Map<string, OpenSocket>
  /** What the process removes as it ends. */
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
    onExit: () => [...files].forEach((file) => rmSync(file, { force: true })),
  }
  Object.defineProperty(globalThis, KEY, { value: made, configurable: true })
  return made
}

/** Removes files when the process ends. One listener does it for all of them. @returns Removes them now. */
export function removeAtExit(paths: readonly string[]): () => void {
  const { files, onExit } = openSockets()
  if (files.size === 0) process.on('exit', onExit)
  for (const path of paths) files.add(path)
  return () => {
    for (const path of paths) {
      files.delete(path)
      rmSync(path, { force: true })
    }
    if (files.size === 0) process.off('exit', onExit)
  }
}

/**
 * Opens a socket of this name, unless this controller has it already: then that one is shared. One of another controller is closed first:
 * a module that is evaluated again makes a controller again, and its old one is not to be found any more.
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
    // One that could not be opened is nothing to close.
    await before?.endpoint.then(
      (endpoint) => endpoint.close(),
      () => undefined,
    )
    return open()
  }
}

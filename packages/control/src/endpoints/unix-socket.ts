import { randomBytes } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { basename, join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { ChaosError, type ChaosController, type Clock } from '@chaos/core'
import { checkOptions, option, optionsSchema, systemClock } from '@chaos/core/authoring'
import { createApi, type AccessControl } from '../api/api.js'
import { auditLog } from '../api/audit-log.js'
import { auditTo, type AuditListener, type AuditOptions } from './audit-file.js'
import { writeSocketRecord, socketRecordPath } from './socket-record.js'
import { PRELOADED } from './preload-mark.js'
import { controllerOf, type Controlled } from './controlled.js'
import { boundConnections } from './idle-connections.js'
import { notFound } from './not-found.js'
import { openOnce, removeAtExit } from './open-sockets.js'
import { pathBelow } from './paths.js'
import { preparePrivateDirectory, socketDirectories, unusable } from './socket-directory.js'

/** Options of {@link openSocket}. */
export interface SocketOptions extends AuditOptions {
  /**
   * The directory of the socket. Default: `CHAOS_SOCKET_DIR`, else `chaos-harness` in `XDG_RUNTIME_DIR`, else
   * `chaos-harness-<uid>` in the folder for temporary files.
   */
  readonly directory?: string
  /** The name of the process in lists, at most 200 characters. Default: the name of its script. */
  readonly name?: string
  /** The clock for timeouts. Default: the system clock. */
  readonly clock?: Clock
}

/** An open control endpoint on a Unix socket. */
export interface ControlEndpoint {
  /** The path of its socket; on Windows, of its named pipe. */
  readonly path: string
  /**
   * Sends an app event to all clients, for example when an alert fires or a recovery is complete.
   *
   * @param topic The kind of event: `alert`. Up to 100 letters, digits, dots, colons or dashes.
   * @param data JSON data, up to 64 KiB.
   * @throws ChaosError `CHAOS_INVALID_OPTION` when the topic is invalid, or the data is too large or not JSON
   */
  notify(topic: string, data: Readonly<Record<string, unknown>>): void
  /**
   * Closes the socket, disconnects its clients, and waits for the rollback of the injections they held. Further calls
   * have no effect.
   */
  close(): Promise<void>
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>
}

/** The longest name of a process, in characters. */
const MAX_NAME = 200

const socketSchema = optionsSchema({
  directory: option.optional(option.text('The directory of the socket.')),
  name: option.optional(option.text('The name of the process in lists.', MAX_NAME)),
})

/** The longest socket path that every system accepts, in bytes. macOS allows 104 including the terminating byte. */
const MAX_PATH_BYTES = 103
/** The most sockets of one process. */
const MAX_SOCKETS = 100
/** Limits of a request body. */
const LIMITS = { maxBodyBytes: 65_536, bodyTimeoutMs: 10_000 }

/** Accepts every request: the directory of the socket is private. */
const everyone: AccessControl = { admit: () => ({ headers: {}, by: 'the same user' }), isPreflight: () => false }

/**
 * Opens the control API on a Unix socket (on Windows, a named pipe) in a private directory, where the CLI finds it. The
 * socket does not keep the process alive.
 *
 * A process has one socket per name and directory. A second call with the same `chaos` returns the same endpoint, which
 * closes for all callers. A second call with another `chaos` (after a hot reload) closes the earlier socket first. Use
 * different names to open several sockets.
 *
 * @throws ChaosError `CHAOS_ENVIRONMENT_REFUSED` when chaos is not switched on (nothing is opened then),
 *   `CHAOS_SOCKET_DIRECTORY` when the directory cannot be used, `CHAOS_INVALID_OPTION` when an option is invalid
 */
export async function openSocket(
  chaos: Controlled,
  { clock = systemClock, onAudit, auditFile, ...given }: SocketOptions = {},
): Promise<ControlEndpoint> {
  const { directory, name = basename(process.argv[1] ?? process.title).slice(0, MAX_NAME) } = checkOptions(
    socketSchema,
    given,
    'openSocket',
  )
  const controller = controllerOf(chaos)
  const { refusal } = await controller.info()
  if (refusal !== undefined)
    throw new ChaosError('CHAOS_ENVIRONMENT_REFUSED', `No control socket was opened. ${refusal}`)

  const { own } = socketDirectories(directory)
  // An app's own socket must not replace the socket of the preload.
  const isPreload = Reflect.get(globalThis, PRELOADED) === controller
  const audited = auditTo({ onAudit, auditFile })
  return openOnce(JSON.stringify([own, name, isPreload]), controller, () => open(controller, own, name, clock, audited))
}

async function open(
  controller: ChaosController,
  own: string,
  name: string,
  clock: Clock,
  onAudit: AuditListener | undefined,
): Promise<ControlEndpoint> {
  preparePrivateDirectory(own)
  const audit = auditLog(clock, onAudit)
  const api = createApi({ controller, clock, notFound, access: everyone, audit, ...LIMITS })
  const server = createServer((req, res) => {
    const path = pathBelow('', req.url)
    if (path === undefined) notFound(req, res)
    else api.handle(req, res, path)
  })
  server.on('upgrade', (req, socket, head) => api.upgrade(req, socket, head, pathBelow('', req.url) ?? ''))
  const connections = boundConnections(server, clock)

  const { base, path } = await listen(server, own)
  server.unref()
  const record = socketRecordPath(own, base)
  const removeFiles = removeAtExit(process.platform === 'win32' ? [record] : [record, path])
  try {
    if (process.platform !== 'win32') chmodSync(path, 0o600)
    writeSocketRecord(record, {
      pid: process.pid,
      name,
      startedAt: Math.round(performance.timeOrigin),
      socketPath: path,
    })
  } catch (error) {
    server.close()
    removeFiles()
    throw unusable(own, `files cannot be written to it (${(error as Error).message})`, error)
  }

  let sayClosed: () => void = () => undefined
  const isClosed = new Promise<void>((resolve) => (sayClosed = resolve))
  async function close(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve))
    // The files are removed first, so that no new client finds the socket.
    removeFiles()
    await api.close()
    connections.destroyAll()
    await closed
    sayClosed()
  }
  let closing: Promise<void> | undefined
  return {
    path,
    notify: (topic, data) => api.notify(topic, data),
    close: () => (closing ??= close()),
    closed: isClosed,
  }
}

/** Listens on the first free `<pid>-<n>`. An earlier process with the same pid may have left its socket behind. */
async function listen(server: Server, directory: string): Promise<{ readonly base: string; readonly path: string }> {
  for (let n = 1; n <= MAX_SOCKETS; n += 1) {
    const base = `${process.pid}-${n}`
    // A named pipe has no private directory. Its name is the secret, and only the record contains it.
    const path =
      process.platform === 'win32'
        ? `\\\\.\\pipe\\chaos-harness-${base}-${randomBytes(16).toString('hex')}`
        : join(directory, `${base}.sock`)
    if (process.platform !== 'win32' && Buffer.byteLength(path) > MAX_PATH_BYTES)
      throw unusable(directory, `the path of a socket in it is longer than ${MAX_PATH_BYTES} bytes`)
    try {
      await listenOn(server, path)
      return { base, path }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE')
        throw unusable(directory, `a socket cannot be opened in it (${(error as Error).message})`, error)
    }
  }
  throw unusable(directory, `it already contains ${MAX_SOCKETS} sockets of process ${process.pid}`)
}

function listenOn(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      server.off('error', onError).off('listening', onListening)
      finish()
    }
    const onError = (error: Error): void => settle(() => reject(error))
    const onListening = (): void => settle(resolve)
    server.on('error', onError).on('listening', onListening)
    // `exclusive` gives a `cluster` worker its own socket instead of one shared with the primary.
    server.listen({ path, exclusive: true })
  })
}

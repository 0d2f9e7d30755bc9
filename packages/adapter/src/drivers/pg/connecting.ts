import { ownersOf, type InjectionContext } from '@chaos/core/authoring'
import type { Socket } from 'node:net'
import { connectInStages } from '../sql/connect-in-stages.js'
import { beginStages, joinStages, type Stage } from '../sql/stages.js'

/** The internals of a client that connect it. */
interface Client {
  readonly connection: Connection
  readonly _connecting?: boolean
  readonly _connected?: boolean
}

/** The internals of a connection that its client uses to connect. */
interface Connection {
  readonly stream: Socket
  readonly emit: (event: string, ...args: unknown[]) => boolean
}

/** What happens on a connection that is held, instead of what its class does. */
interface Hold {
  readonly send: (pass: () => void) => void
  readonly emit: (event: unknown, error: unknown, pass: () => boolean) => boolean
}

/**
 * Patches the point where a client sends its first bytes and learns that the server is ready. Its
 * `connectionTimeoutMillis`, that of its pool, and instrumentations are above it.
 *
 * @param stageOf Returns what the fault does about a client that begins to connect; `undefined` if it does nothing.
 */
export function patchConnecting(
  holder: object,
  context: InjectionContext,
  stageOf: (client: object) => Stage | undefined,
): void {
  const holds = new WeakMap<object, Hold>()
  const patched = new WeakSet()
  context.patch(
    holder,
    '_connect',
    (below) =>
      function _connect(this: Client, callback: unknown): void {
        const stage = this._connecting === true || this._connected === true ? undefined : stageOf(this)
        if (stage !== undefined && !joinStages(this.connection, stage) && stage.chooses())
          holdBack(this.connection, beginStages(this.connection, stage))
        below.call.call(this, callback)
      },
  )

  /** Patches the class of a connection, so that nothing is put on the connection itself. */
  function patchClassOf(connection: Connection): void {
    const owner = ownersOf(connection, 'startup').at(-1) as object
    if (patched.has(owner) || context.signal.aborted) return
    patched.add(owner)
    for (const key of ['requestSsl', 'startup']) {
      context.patch(
        owner,
        key,
        (below) =>
          function (this: Connection, ...args: unknown[]): void {
            const pass = (): void => void below.call.apply(this, args)
            const hold = holds.get(this)
            if (hold === undefined) pass()
            else hold.send(pass)
          },
      )
    }
    context.patch(
      owner,
      'emit',
      (below) =>
        function (this: Connection, ...args: unknown[]): boolean {
          const hold = holds.get(this)
          if (hold === undefined) return below.call.apply(this, args) as boolean
          return hold.emit(args[0], args[1], () => below.call.apply(this, args) as boolean)
        },
    )
  }

  function holdBack(connection: Connection, stages: readonly Stage[]): void {
    patchClassOf(connection)
    let isHeld = true
    let send = (): void => undefined
    let tellReady = (): void => undefined
    const ready = new Promise<void>((resolve, reject) => {
      holds.set(connection, {
        send(pass) {
          if (isHeld) send = pass
          else pass()
        },
        emit(event, error, pass) {
          if (event === 'readyForQuery') {
            holds.delete(connection)
            tellReady = () => void pass()
            resolve()
            return true
          }
          if (event === 'error' || event === 'errorMessage' || event === 'end') {
            holds.delete(connection)
            reject(error instanceof Error ? error : new Error('Connection terminated unexpectedly'))
          }
          return pass()
        },
      })
    })
    connectInStages(stages, {
      isGone: () => connection.stream.destroyed,
      letGo() {
        isHeld = false
        send()
        send = () => undefined
      },
      ready,
      tellReady: () => tellReady(),
      fail: (error) => failToConnect(connection, error),
    })
  }
}

/** Fails a client that connects, as the server or the network does. */
function failToConnect(connection: Connection, error: Error): void {
  if (connection.stream.destroyed) return
  if (!('severity' in error)) {
    connection.stream.destroy(error)
    return
  }
  connection.emit('errorMessage', error)
  connection.stream.destroy()
}

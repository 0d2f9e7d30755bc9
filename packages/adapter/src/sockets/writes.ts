import { builtin, type InjectionContext } from '@chaos/core/authoring'
import importedNet, { type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { memberReplacer, type Method } from '../operations/member-replacer.js'
import type { Done } from './wire.js'
import { WriteLine } from './write-line.js'

const net = builtin('node:net', importedNet)

/** What a connection writes, before it is written. */
export interface Outgoing {
  readonly bytes: Buffer
  /** To be called when the sender may send more. */
  readonly done: Done
  /** Writes bytes beneath the fault, in order. */
  readonly line: WriteLine
}

/** Returns who takes what a connection writes now; `undefined`: the bytes pass. */
type TakerOf = (connection: Duplex) => ((outgoing: Outgoing) => void) | undefined

/** The internal method of a socket that all of its writes go through. */
interface WritingSocket extends Socket {
  _writeGeneric: (isMany: boolean, data: unknown, encoding: BufferEncoding | 'buffer', done: Done) => unknown
}

/**
 * Hands over what connections write, as bytes, above the native code of a connection and beneath everything else.
 *
 * @returns A function to call with each connection that may have a taker, since a connection may be any stream.
 */
export function onWrites(context: InjectionContext, takerOf: TakerOf): (connection: Duplex) => void {
  const lines = new WeakMap<Duplex, WriteLine>()
  const lineOf = (connection: Duplex, write: WriteLine['write']): WriteLine => {
    let line = lines.get(connection)
    if (line === undefined) lines.set(connection, (line = new WriteLine(connection, write)))
    return line
  }
  context.patch(
    net.Socket.prototype,
    '_writeGeneric',
    (below) =>
      function _writeGeneric(this: WritingSocket, ...args: Parameters<WritingSocket['_writeGeneric']>): unknown {
        // Until a connection is open, Node.js keeps what is written, and then writes it again.
        const take = this.connecting ? undefined : takerOf(this)
        if (take === undefined && lines.get(this)?.isBusy !== true) return below.call.apply(this, args)
        const [isMany, data, encoding, done] = args
        const line = lineOf(this, (bytes, written) => {
          below.call.call(this, false, bytes, 'buffer', written)
        })
        const bytes = bytesOf(isMany, data, encoding)
        if (take === undefined) line.add(bytes, done)
        else take({ bytes, done, line })
        return undefined
      },
  )
  const replaceMember = memberReplacer(context)
  const known = new WeakSet<Duplex>()
  /** The stand-in for a connection that a mock makes may read in a `write` of its own, which hands nothing on. */
  const watchStandIn = (connection: Duplex): void => {
    const write = Reflect.get(connection, 'write') as Method
    const line = lineOf(connection, (bytes, written) => {
      Reflect.apply(write, connection, [bytes])
      written()
    })
    replaceMember(
      connection,
      'write',
      (original) =>
        function (this: unknown, ...args: unknown[]) {
          const [data, encoding] = args
          const take = takerOf(connection)
          if ((take === undefined && !line.isBusy) || data === null || data === undefined)
            return Reflect.apply(original as Method, this, args)
          const callback = args.at(-1)
          const done = typeof callback === 'function' ? (callback as Done) : (): void => undefined
          const bytes = bytesOf(false, data, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
          if (take === undefined) line.add(bytes, done)
          else take({ bytes, done, line })
          return true
        },
    )
  }
  return (connection) => {
    if (known.has(connection)) return
    const isInherited = (method: '_write' | 'write'): boolean =>
      Reflect.get(Object.getPrototypeOf(connection) as object, method) === Reflect.get(net.Socket.prototype, method)
    if (isInherited('_write') && isInherited('write')) return
    known.add(connection)
    if (isInherited('_write')) {
      watchStandIn(connection)
      return
    }
    const write = Reflect.get(connection, '_write') as Method
    const line = lineOf(connection, (bytes, written) => Reflect.apply(write, connection, [bytes, 'buffer', written]))
    for (const method of ['_write', '_writev'] as const)
      if (typeof connection[method] === 'function')
        replaceMember(
          connection,
          method,
          (original) =>
            function (this: unknown, ...args: unknown[]) {
              const take = takerOf(connection)
              if (take === undefined && !line.isBusy) return Reflect.apply(original as Method, this, args)
              const done = args.at(-1) as Done
              const bytes = bytesOf(method === '_writev', args[0], args[1] as BufferEncoding)
              if (take === undefined) line.add(bytes, done)
              else take({ bytes, done, line })
              return undefined
            },
        )
  }
}

function bytesOf(isMany: boolean, data: unknown, encoding: BufferEncoding | 'buffer'): Buffer {
  if (!isMany)
    return typeof data === 'string' ? Buffer.from(data, encoding as BufferEncoding) : Buffer.from(data as Uint8Array)
  return Buffer.concat(
    (data as readonly { readonly chunk: string | Uint8Array; readonly encoding: BufferEncoding }[]).map((part) =>
      bytesOf(false, part.chunk, part.encoding),
    ),
  )
}

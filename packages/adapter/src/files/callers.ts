import type { Below, InjectionContext } from '@chaos/core/authoring'
import { EventEmitter, on } from 'node:events'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { signalIn } from '../operations/caller-signal.js'
import { covering, type LayOver } from '../operations/covering.js'
import type { FileForm } from './forms.js'
import type { FileFunction } from './places.js'

/** Whoever asks for operations on a file, and may give up. */
export interface FileCaller {
  readonly signal: AbortSignal
  /** Where it is a stream, which then fails by itself. */
  readonly stream?: FileStream
}

/**
 * Whose signal an operation on a file belongs to: that of the `readFile`, `writeFile`, `appendFile` or stream that asks for it. Nothing beneath these
 * hears of the signal, so it is noted when they are called, and goes with the descriptor from then on.
 */
export class FileCallers {
  readonly #ofDescriptor = new Map<number, FileCaller>()
  #current: FileCaller | undefined

  /** Notes signals while an injection is in force. */
  watch(context: InjectionContext): void {
    const layOver = covering(context)
    const noting = (below: Below) => {
      const call = (self: unknown, args: unknown[]): unknown => {
        const signal = signalIn(args)
        return this.#during(signal && { signal }, () => (below.call as FileFunction).apply(self, args))
      }
      return function (this: unknown, ...args: unknown[]): unknown {
        return call(this, args)
      }
    }
    const notingStream = (below: Below) => {
      const create = (self: unknown, args: unknown[]): unknown =>
        this.#noteStream(layOver, (below.call as FileFunction).apply(self, args) as FileStream, signalIn(args))
      return function (this: unknown, ...args: unknown[]): unknown {
        return create(this, args)
      }
    }
    // Named imports of ESM see the change, and, since the first step is the last to be taken back, see it go.
    context.defer(syncBuiltinESMExports)
    for (const name of ['readFile', 'writeFile', 'appendFile'] as const) {
      context.patch(fs, name, noting)
      context.patch(fs.promises, name, noting)
    }
    for (const name of ['createReadStream', 'createWriteStream'] as const) context.patch(fs, name, notingStream)
    syncBuiltinESMExports()
  }

  /** Whoever asks now, on this descriptor where there is one. */
  of(descriptor: number | undefined): FileCaller | undefined {
    return this.#current ?? (descriptor === undefined ? undefined : this.#ofDescriptor.get(descriptor))
  }

  /** Notes for whom a descriptor was opened. */
  opened(descriptor: number, caller: FileCaller | undefined): void {
    if (caller === undefined) this.#ofDescriptor.delete(descriptor)
    else this.#ofDescriptor.set(descriptor, caller)
  }

  #during(caller: FileCaller | undefined, call: () => unknown): unknown {
    const before = this.#current
    this.#current = caller
    try {
      return call()
    } finally {
      this.#current = before
    }
  }

  /** A stream opens its file in the next tick. */
  #noteStream(layOver: LayOver, stream: FileStream, signal: AbortSignal | undefined): unknown {
    const { _construct: construct } = stream
    if (signal === undefined || construct === undefined) return stream
    layOver(stream, '_construct', (_original, takeOff) => (...args) => {
      takeOff()
      return this.#during({ signal, stream }, () => construct.apply(stream, args))
    })
    return stream
  }
}

/** A stream on a file. */
interface FileStream {
  readonly _construct?: FileFunction
  readonly errored: Error | null
}

/** An operation whose caller's signal ends the wait, as it does between two steps of a real `readFile`. */
export function givenUpBy(caller: FileCaller, { fail, later }: FileForm): FileForm {
  const { signal, stream } = caller
  return {
    fail,
    later:
      later &&
      ((keep) =>
        later((rest) => {
          const abandon = (): void => process.nextTick(() => rest.fail(stream?.errored ?? abortError(signal)))
          return keep({ ...rest, abandon })
        })),
  }
}

/** Node.js' own `AbortError`, whose class is not public: made by whoever throws it. */
function abortError(signal: AbortSignal): Error {
  try {
    on(new EventEmitter(), 'never', { signal })
  } catch (error) {
    return error as Error
  }
  return signal.reason as Error
}

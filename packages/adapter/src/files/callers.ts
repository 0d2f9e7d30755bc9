import type { Below, InjectionContext } from '@chaos/core/authoring'
import { EventEmitter, on } from 'node:events'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { signalIn } from '../operations/caller-signal.js'
import { memberReplacer, type ReplaceMember } from '../operations/member-replacer.js'
import type { FileForm } from './forms.js'
import type { FileFunction } from './places.js'

/** The caller of a file operation, whose signal may end the operation. */
export interface FileCaller {
  readonly signal: AbortSignal
  /** The caller, if it is a stream. A stream reports its own abort error. */
  readonly stream?: FileStream
}

/**
 * Maps file operations to the signal of the `readFile`, `writeFile`, `appendFile` or stream that requested them. The
 * native bindings never see the signal, so it is recorded at the call, and then kept with the descriptor that the call
 * opens.
 */
export class FileCallers {
  readonly #ofDescriptor = new Map<number, FileCaller>()
  #current: FileCaller | undefined

  /** Records signals while an injection is in force. */
  watch(context: InjectionContext): void {
    const replaceMember = memberReplacer(context)
    const recording = (below: Below) => {
      const call = (self: unknown, args: unknown[]): unknown => {
        const signal = signalIn(args)
        return this.#during(signal && { signal }, () => (below.call as FileFunction).apply(self, args))
      }
      return function (this: unknown, ...args: unknown[]): unknown {
        return call(this, args)
      }
    }
    const recordingStream = (below: Below) => {
      const create = (self: unknown, args: unknown[]): unknown =>
        this.#recordStream(replaceMember, (below.call as FileFunction).apply(self, args) as FileStream, signalIn(args))
      return function (this: unknown, ...args: unknown[]): unknown {
        return create(this, args)
      }
    }
    // Updates the named ESM imports of the module. The first step is undone last, so this also updates them after the
    // patches are undone.
    context.defer(syncBuiltinESMExports)
    for (const name of ['readFile', 'writeFile', 'appendFile'] as const) {
      context.patch(fs, name, recording)
      context.patch(fs.promises, name, recording)
    }
    for (const name of ['createReadStream', 'createWriteStream'] as const) context.patch(fs, name, recordingStream)
    syncBuiltinESMExports()
  }

  /**
   * Returns the caller of the current operation: the one whose call is running, else the one that opened the
   * descriptor.
   */
  of(descriptor: number | undefined): FileCaller | undefined {
    return this.#current ?? (descriptor === undefined ? undefined : this.#ofDescriptor.get(descriptor))
  }

  /** Records the caller that opened a descriptor. */
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

  /** Records the caller of a stream when the stream opens its file, which is in the next tick. */
  #recordStream(replaceMember: ReplaceMember, stream: FileStream, signal: AbortSignal | undefined): unknown {
    const { _construct: construct } = stream
    if (signal === undefined || construct === undefined) return stream
    replaceMember(stream, '_construct', (_original, restore) => (...args) => {
      restore()
      return this.#during({ signal, stream }, () => construct.apply(stream, args))
    })
    return stream
  }
}

/** A file stream. */
interface FileStream {
  readonly _construct?: FileFunction
  readonly errored: Error | null
}

/**
 * Makes an operation that ends its wait when the caller's signal aborts, as a real `readFile` does between two steps.
 */
export function endedBySignalOf(caller: FileCaller, { fail, later }: FileForm): FileForm {
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

/** Makes the `AbortError` of Node.js. Its class is not public, so a Node.js function has to throw it. */
function abortError(signal: AbortSignal): Error {
  try {
    on(new EventEmitter(), 'never', { signal })
  } catch (error) {
    return error as Error
  }
  return signal.reason as Error
}

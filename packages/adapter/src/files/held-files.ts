import type { Below, Errno, InjectionContext } from '@chaos/core/authoring'
import { fileError } from '../errors/file-system.js'
import type { FileForm } from './forms.js'
import { fileBinding, type FileFunction, type FileOperation } from './places.js'

/** Returns the error that the system would give to an operation now, if any. */
type Refusal = () => Error | undefined

/**
 * Watches whether descriptors are closed while operations on them are held. The system gives the number of a closed
 * descriptor to another file.
 *
 * @returns A function to call when an operation starts. It returns the check to make before the operation reaches the
 *   system.
 */
export function watchDescriptors(
  context: InjectionContext,
): (operation: FileOperation, descriptor: number | undefined, args: readonly unknown[]) => Refusal {
  const closings = new Map<number, number>()
  const closing = (descriptorOf: (self: unknown, args: readonly unknown[]) => number) => (below: Below) =>
    function (this: unknown, ...args: unknown[]): unknown {
      const descriptor = descriptorOf(this, args)
      closings.set(descriptor, (closings.get(descriptor) ?? 0) + 1)
      return (below.call as FileFunction).apply(this, args)
    }
  const binding = fileBinding()
  context.patch(
    binding,
    'close',
    closing((_self, [descriptor]) => descriptor as number),
  )
  const { prototype } = binding['FileHandle'] as { readonly prototype: object }
  for (const key of ['close', 'releaseFD'])
    context.patch(
      prototype,
      key,
      closing((self) => (self as { readonly fd: number }).fd),
    )

  return (operation, descriptor, args) => {
    const before = descriptor === undefined ? undefined : closings.get(descriptor)
    const buffers = args
      .flat()
      .filter((arg): arg is ArrayBufferView => ArrayBuffer.isView(arg))
      .map((buffer) => ({ buffer, length: buffer.byteLength }))
    const errorOf = (code: Errno): Error => fileError(code, operation)
    return () => {
      if (descriptor !== undefined && closings.get(descriptor) !== before) return errorOf('EBADF')
      // The application may have transferred the memory of a buffer meanwhile (`transfer`). Node.js would abort the
      // process.
      return buffers.some(({ buffer, length }) => buffer.byteLength < length) ? errorOf('EFAULT') : undefined
    }
  }
}

/** Makes the form of a held operation, which reaches the system only if the system can still execute it. */
export function heldOn({ fail, later }: FileForm, refusal: Refusal): FileForm {
  if (later === undefined) return { fail }
  return {
    fail,
    later: (keep) =>
      later((rest) =>
        keep({
          ...rest,
          proceed() {
            const error = refusal()
            if (error === undefined) rest.proceed()
            else rest.fail(error)
          },
        }),
      ),
  }
}

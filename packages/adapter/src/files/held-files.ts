import type { Below, Errno, InjectionContext } from '@chaos/core/authoring'
import { fileError } from '../errors/file-system.js'
import type { FileForm } from './forms.js'
import { fileBinding, type FileFunction, type FileOperation } from './places.js'

/** What the system says of an operation that it gets now; nothing where it can do it. */
type Refusal = () => Error | undefined

/**
 * Watches descriptors being closed while operations on them are held: the system gives their numbers to other files.
 *
 * @returns Tells of an operation as it is asked for now what becomes of it later.
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
      // Memory that its owner has given away meanwhile (`transfer`): Node.js would end the process.
      return buffers.some(({ buffer, length }) => buffer.byteLength < length) ? errorOf('EFAULT') : undefined
    }
  }
}

/** The form of an operation that is held: it goes to the system only if that can still do it. */
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

import type { CommandArgs } from './client.js'

/** Where marked arguments keep the plain ones. All copies of this package share it. */
const PLAIN = Symbol.for('@chaos/core.node-redis.plain')

/** The arguments of a command without the marks of faults. Unlike reading marked ones, this calls nobody. */
export function plainArgs(args: CommandArgs): CommandArgs {
  return (Reflect.get(args, PLAIN) as CommandArgs | undefined) ?? args
}

/**
 * Marks the arguments of a queued command. The client reads them when it writes the command, and rejects the command
 * without writing it if `onDue` throws.
 */
export function dueArgs(args: CommandArgs, onDue: () => void): CommandArgs {
  const marked: unknown[] = Array.from({ length: args.length })
  for (let index = 1; index < args.length; index += 1) marked[index] = args[index]
  Object.defineProperty(marked, 0, {
    get() {
      // The faults above decide first, as they see each call first.
      const [name] = args
      onDue()
      return name
    },
    enumerable: true,
  })
  Object.defineProperty(marked, PLAIN, { value: plainArgs(args) })
  return marked as unknown as CommandArgs
}

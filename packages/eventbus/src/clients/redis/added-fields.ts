import { contentOf, withContent } from './redis-streams.js'

/** The content of an entry, by the arguments of `XADD`. */
export const addedContent = (args: readonly unknown[]): unknown =>
  contentOf(fieldsOf(args.flat().slice(idAt(args.flat()) + 1)))

/** The arguments of `XADD` for other content. */
export function withAddedContent(args: readonly unknown[], content: unknown): readonly unknown[] {
  const flat = args.flat()
  const end = idAt(flat) + 1
  return [...flat.slice(0, end), ...flatFields(withContent(fieldsOf(flat.slice(end)), content))]
}

/**
 * The index of the id in the arguments of `XADD`, after its options.
 *
 * @see https://redis.io/docs/latest/commands/xadd/
 */
function idAt(args: readonly unknown[]): number {
  let at = 1
  for (;;) {
    const option = String(args[at]).toUpperCase()
    if (['NOMKSTREAM', 'KEEPREF', 'DELREF', 'ACKED'].includes(option)) at += 1
    else if (['LIMIT', 'IDMPAUTO'].includes(option)) at += 2
    else if (option === 'IDMP') at += 3
    else if (['MAXLEN', 'MINID'].includes(option)) at += ['=', '~'].includes(String(args[at + 1])) ? 3 : 2
    else return at
  }
}

/** An object of alternating names and values. */
export function fieldsOf(flat: readonly unknown[]): Record<string, unknown> {
  const pairs = flat.flatMap((name, index) => (index % 2 === 0 ? [[String(name), flat[index + 1]] as const] : []))
  return Object.fromEntries(pairs)
}

/** Alternating names and values of an object. */
export const flatFields = (fields: Readonly<Record<string, unknown>>): unknown[] => Object.entries(fields).flat()

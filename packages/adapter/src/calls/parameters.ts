/** The most characters of a function's source that are read. */
const MAX_SOURCE = 1_000

/** The start of a function's source, up to its first parameters. */
const HEAD = /^(?:async\s+)?(?:function\b\s*)?\*?\s*(?:[\w$#]+\s*)?\(([^)]*)|^(?:async\s+)?([\w$]+)\s*=>/

/**
 * Returns the names of a function's parameters as its source spells them, without defaults.
 *
 * @returns `undefined` if the source is not readable, as for a bound or native function.
 */
export function parameterNames(fn: object): readonly string[] | undefined {
  const source = Function.prototype.toString.call(fn)
  if (source.includes('[native code]')) return undefined
  const [, list, one] = HEAD.exec(source.slice(0, MAX_SOURCE)) ?? []
  if (one !== undefined) return [one]
  return list
    ?.split(',')
    .map((part) => part.replace(/\/\*.*?\*\/|=.*$/gs, '').trim())
    .filter((part) => part !== '')
}

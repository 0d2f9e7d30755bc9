import { createHash } from 'node:crypto'

/**
 * Returns a function that names the injections of a test. The names say which test and which of its injections it is, so that a seed
 * repeats the decisions of a test, whatever runs beside it.
 *
 * @param key Tells the test apart from others.
 */
export function injectionIds(key: string): (fault: string) => string {
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 8)
  const numbers = new Map<string, number>()
  return (fault) => {
    const number = (numbers.get(fault) ?? 0) + 1
    numbers.set(fault, number)
    return `${fault}#${number}.${hash}`
  }
}

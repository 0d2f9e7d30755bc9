import { ChaosError } from '@chaos/core'
import { printable } from '@chaos/core/authoring'

/**
 * Refuses what JSON would lose or turn into something else: a function, `NaN`, an object of a class.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION`
 */
export function checkPortable(value: unknown, name: string): void {
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number' && Number.isFinite(value)) return
  if (Array.isArray(value)) {
    value.forEach((part, index) => checkPortable(part, `${name}[${index}]`))
    return
  }
  if (typeof value === 'object' && isPlain(value)) {
    for (const [key, part] of Object.entries(value)) checkPortable(part, `${name}.${key}`)
    return
  }
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `Expected \`${printable(name)}\` to be something that JSON can carry, got ${kindOf(value)}. Such an option works within the process only.`,
  )
}

function kindOf(value: unknown): string {
  if (typeof value === 'object') return 'an object of a class'
  return typeof value === 'number' ? `\`${value}\`` : `a ${typeof value}`
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

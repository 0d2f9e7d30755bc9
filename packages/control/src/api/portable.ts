import { ChaosError } from '@chaos/core'
import { printable } from '@chaos/core/authoring'

/**
 * Rejects values that JSON would drop or change, such as a function, `NaN` or a class instance.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when a value is not JSON data
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
    `Expected \`${printable(name)}\` to be JSON data, got ${kindOf(value)}. Such an option works only within the process.`,
  )
}

function kindOf(value: unknown): string {
  if (typeof value === 'object') return 'an instance of a class'
  return typeof value === 'number' ? `\`${value}\`` : `a ${typeof value}`
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

import { Buffer } from 'node:buffer'
import { bytesOf, isBytes, keysOf, structureOf } from '@chaos/core/authoring'

/** How a value is damaged. */
export type Damage = (value: unknown) => unknown

/** What a damage returns for a field that is to be removed, or a value that it cannot damage. */
export const REMOVED = Symbol('removed')
const UNFIT = Symbol('unfit')

/**
 * A payload with a field damaged; the empty path means the payload itself. The payload that came is never changed: what lies on
 * the path is copied. Text and bytes that hold JSON stay text and bytes.
 *
 * @returns {@link UNFIT} when there is no such field, or when it is of a kind that cannot be damaged so.
 */
export function damaged(payload: unknown, path: string, damage: Damage): unknown {
  if (path === '') return damage(payload)
  const changed = damagedAt(structureOf(payload), keysOf(path), damage)
  if (changed === UNFIT || (typeof payload !== 'string' && !isBytes(payload))) return changed
  const text = JSON.stringify(changed)
  return typeof payload === 'string' ? text : likeBytes(Buffer.from(text), payload)
}

/** Whether a payload has a field that a damage fits; the empty path means the payload itself. Copies nothing. */
export function isDamageable(payload: unknown, path: string, fits: (value: unknown) => boolean): boolean {
  let value = path === '' ? payload : structureOf(payload)
  for (const key of keysOf(path)) {
    if (typeof value !== 'object' || value === null || !(key in value)) return false
    value = Reflect.get(value, key)
  }
  return fits(value)
}

function damagedAt(structure: unknown, [key, ...rest]: readonly string[], damage: Damage): unknown {
  if (typeof structure !== 'object' || structure === null || key === undefined || !(key in structure)) return UNFIT
  const value: unknown = Reflect.get(structure, key)
  const changed = rest.length === 0 ? damage(value) : damagedAt(value, rest, damage)
  if (changed === UNFIT) return UNFIT
  if (Array.isArray(structure))
    return changed === REMOVED
      ? structure.filter((_, index) => String(index) !== key)
      : structure.map((part: unknown, index) => (String(index) === key ? changed : part))
  // Members are copied as they are: a getter beside the field is not asked, and may throw.
  const members = new Map<PropertyKey, PropertyDescriptor>(
    Reflect.ownKeys(structure).map((name) => [
      name,
      Reflect.getOwnPropertyDescriptor(structure, name) as PropertyDescriptor,
    ]),
  )
  if (changed === REMOVED) members.delete(key)
  else members.set(key, { value: changed, writable: true, enumerable: true, configurable: true })
  const copy = Object.create(Object.getPrototypeOf(structure) as object | null) as object
  for (const [name, member] of members) Reflect.defineProperty(copy, name, member)
  return copy
}

/** Puts another value in its place; text and bytes stay what they are when they are replaced as a whole. */
export function setTo(value: unknown, whole: boolean): Damage {
  return (old) => {
    if (whole && typeof old === 'string') return String(value)
    return whole && isBytes(old) ? likeBytes(Buffer.from(String(value)), old) : value
  }
}

type Sized = string | ArrayBuffer | ArrayBufferView | readonly unknown[]

const hasLength = (value: unknown): value is Sized =>
  typeof value === 'string' || isBytes(value) || Array.isArray(value)
const sizeOf = (value: Sized): number => (isBytes(value) ? value.byteLength : value.length)

/** What {@link truncatedTo} makes shorter. */
export const isLonger =
  (length: number | undefined) =>
  (value: unknown): boolean =>
    hasLength(value) && (length ?? Math.floor(sizeOf(value) / 2)) < sizeOf(value)

/** What {@link bitsFlipped} changes. */
export const hasBits = (value: unknown): boolean =>
  typeof value === 'boolean' ||
  typeof value === 'number' ||
  (typeof value === 'string' && value !== '') ||
  (isBytes(value) && value.byteLength > 0)

/** Cuts text (in characters), bytes and lists off. @param length What is left. Default: half of it, rounded down. */
export function truncatedTo(length: number | undefined): Damage {
  return (value) => {
    if (!hasLength(value)) return UNFIT
    const size = sizeOf(value)
    const left = length ?? Math.floor(size / 2)
    // What is short enough already would come unharmed.
    if (left >= size) return UNFIT
    return isBytes(value) ? likeBytes(bytesOf(value).subarray(0, left), value) : value.slice(0, left)
  }
}

/**
 * Flips bits of bytes, of the UTF-16 units of a text (their lower seven, so that ASCII stays ASCII), of a number (as IEEE 754 double) or a boolean.
 * The bits are all different, so that none is flipped back.
 */
export function bitsFlipped(bits: number, draw: () => number): Damage {
  return (value) => {
    if (typeof value === 'boolean') return !value
    if (typeof value === 'number') {
      const view = Buffer.alloc(8)
      view.writeDoubleBE(value)
      flip(8 * 8, bits, draw, (bit) => void (view[bit >> 3] = (view[bit >> 3] as number) ^ (1 << (bit & 7))))
      return view.readDoubleBE()
    }
    if (typeof value === 'string' && value !== '') {
      const units = Array.from({ length: value.length }, (_, index) => value.charCodeAt(index))
      flip(
        units.length * 7,
        bits,
        draw,
        (bit) => void (units[Math.floor(bit / 7)] = (units[Math.floor(bit / 7)] as number) ^ (1 << (bit % 7))),
      )
      return units.map((unit) => String.fromCharCode(unit)).join('')
    }
    if (!isBytes(value) || value.byteLength === 0) return UNFIT
    const copy = Buffer.from(bytesOf(value))
    flip(copy.length * 8, bits, draw, (bit) => void (copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7))))
    return likeBytes(copy, value)
  }
}

function flip(size: number, bits: number, draw: () => number, flipOne: (bit: number) => void): void {
  const chosen = new Set<number>()
  while (chosen.size < Math.min(bits, size)) {
    let bit = Math.floor(draw() * size)
    while (chosen.has(bit)) bit = (bit + 1) % size
    chosen.add(bit)
  }
  chosen.forEach(flipOne)
}

/** Bytes in the type of others: a Buffer for a Buffer, else an ArrayBuffer or plain bytes. */
function likeBytes(bytes: Buffer, like: ArrayBuffer | ArrayBufferView): unknown {
  if (Buffer.isBuffer(like)) return bytes
  const copy = Uint8Array.from(bytes)
  return like instanceof ArrayBuffer ? copy.buffer : copy
}

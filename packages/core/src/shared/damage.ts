import { Buffer } from 'node:buffer'
import { ChaosError } from '../basics/errors.js'
import { isPlain } from '../fault/data.js'
import { option, type Scalar } from '../fault/option.js'
import { bytesOf, isBytes, keysOf, structureOf } from './payload.js'

const KINDS = ['truncate', 'garble', 'empty', 'set', 'remove'] as const

/** How content is damaged. */
export interface DamageOptions {
  readonly damage?: (typeof KINDS)[number] | undefined
  readonly at?: string | undefined
  readonly value?: Scalar | undefined
  readonly length?: number | undefined
  readonly bits?: number | undefined
}

/** The options of every fault that damages content. */
export const damageOptions = {
  damage: option.optional(
    option.oneOf(
      KINDS,
      'truncate: the end is missing; garble: bits are flipped; empty: nothing is in it; set: `value` takes its place; remove: the field is missing. Default: truncate.',
    ),
  ),
  at: option.optional(
    option.text('Path of the field to damage, such as order.items.0.price. Default: the content as a whole.'),
  ),
  value: option.optional(option.scalar('The value that `set` puts in place.')),
  length: option.optional(
    option.count('What `truncate` leaves, in bytes, characters or items. Default: half, rounded down.'),
  ),
  bits: option.optional(option.count('How many different bits `garble` flips. Default: 1.', 1, 1_000_000)),
}

/** The one kind of damage that an option belongs to. */
const KIND_OF_OPTION = { value: 'set', length: 'truncate', bits: 'garble' } as const

/**
 * Refuses options of damage that contradict each other.
 *
 * @param fault The name of the fault, for the message.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an option of another kind of damage, `set` without `value`, `remove` without `at`, or `change` beside
 * another option of damage.
 */
export function checkDamage(options: DamageOptions & { readonly change?: unknown }, fault: string): void {
  const { damage = 'truncate', at, value, change } = options
  const refuse = (message: string): never => {
    throw new ChaosError('CHAOS_INVALID_OPTION', message)
  }
  if (change !== undefined)
    for (const name of ['damage', 'at', ...Object.keys(KIND_OF_OPTION)] as const)
      if (Reflect.get(options, name) !== undefined)
        refuse(`\`change\` of ${fault} makes the damaged content itself. Leave \`${name}\` out, or \`change\`.`)
  for (const [name, kind] of Object.entries(KIND_OF_OPTION))
    if (Reflect.get(options, name) !== undefined && damage !== kind)
      refuse(`\`${name}\` of ${fault} belongs to the damage \`${kind}\`, not to \`${damage}\`. Leave \`${name}\` out.`)
  if (damage === 'set' && value === undefined)
    refuse(`The damage \`set\` of ${fault} needs \`value\`: what to put in place.`)
  if (damage === 'remove' && at === undefined)
    refuse(`The damage \`remove\` of ${fault} needs \`at\`: the path of the field to remove.`)
}

/** One kind of damage, ready to be done. */
export interface Damage {
  /** Whether the damage changes this content. Copies nothing. */
  readonly fits: (content: unknown) => boolean
  /**
   * A damaged copy of the content; the content itself where the damage does not fit. The content that came in is never changed.
   *
   * @param draw Seeded chance: the next number from 0 (included) to 1 (excluded).
   * @throws What a getter in the content throws; RangeError for content of more than 64 levels or 100,000 parts.
   */
  readonly damaged: (content: unknown, draw: () => number) => unknown
}

/**
 * Makes damage of options that {@link checkDamage} accepts.
 *
 * Text, bytes and lists are cut off, garbled or emptied as such. In a plain object `truncate` damages each field for itself, and `garble` one
 * field that chance chooses. With `at`, text and bytes that hold JSON are read, damaged and written as JSON again.
 */
export function damageOf({ damage = 'truncate', at = '', value, length, bits = 1 }: DamageOptions): Damage {
  const change = changeOf({ damage, value, length, bits, isWhole: at === '' })
  return {
    fits: (content) => fitsAt(content, at, (part) => change.fits(part, budget())),
    damaged: (content, draw) => {
      const changed = changedAt(content, at, (part) =>
        change.fits(part, budget()) ? change.apply(part, draw, budget()) : UNFIT,
      )
      return changed === UNFIT ? content : changed
    },
  }
}

/** What a change gives for a field that is to be removed. */
const REMOVED = Symbol('removed')
/** What a change gives for a value that it cannot change. */
const UNFIT = Symbol('unfit')

/** Counts levels and parts down while content is walked, so that content which contains itself ends the walk. */
type Budget = (level: number) => void

function budget(): Budget {
  let parts = 100_000
  return (level) => {
    parts -= 1
    if (level > 64 || parts < 0)
      throw new RangeError('The content has more than 64 levels or 100,000 parts. It is left as it is.')
  }
}

interface Change {
  readonly fits: (value: unknown, spend: Budget, level?: number) => boolean
  /** Asked only for a value that fits. */
  readonly apply: (value: unknown, draw: () => number, spend: Budget, level?: number) => unknown
}

function changeOf({
  damage,
  value,
  length,
  bits,
  isWhole,
}: Required<Pick<DamageOptions, 'damage' | 'bits'>> &
  Pick<DamageOptions, 'value' | 'length'> & { readonly isWhole: boolean }): Change {
  switch (damage) {
    case 'truncate':
      return truncating(length)
    case 'garble':
      return garbling(bits ?? 1)
    case 'empty':
      return { fits: isNotEmpty, apply: emptied }
    case 'remove':
      return { fits: () => true, apply: () => REMOVED }
    default:
      return { fits: () => true, apply: (old) => (isWhole ? inTheFormOf(old, value) : value) }
  }
}

/** Text and bytes stay text and bytes when another value takes the place of the whole. */
function inTheFormOf(old: unknown, value: unknown): unknown {
  if (typeof old === 'string') return String(value)
  return isBytes(old) ? bytesLike(Buffer.from(String(value)), old) : value
}

type Sized = string | ArrayBuffer | ArrayBufferView | readonly unknown[]

const isSized = (value: unknown): value is Sized => typeof value === 'string' || isBytes(value) || Array.isArray(value)
const sizeOf = (value: Sized): number => (isBytes(value) ? value.byteLength : value.length)

function truncating(length: number | undefined): Change {
  const left = (value: Sized): number => length ?? Math.floor(sizeOf(value) / 2)
  const fits: Change['fits'] = (value, spend, level = 0) => {
    spend(level)
    if (isSized(value)) return left(value) < sizeOf(value)
    return isPlain(value) && fieldsOf(value).some(([, field]) => fits(field, spend, level + 1))
  }
  const apply: Change['apply'] = (value, draw, spend, level = 0) => {
    if (isBytes(value)) return bytesLike(bytesOf(value).subarray(0, left(value)), value)
    if (typeof value === 'string' || Array.isArray(value)) return value.slice(0, left(value))
    const fitting = fieldsOf(value as object).filter(([, field]) => fits(field, spend, level + 1))
    return copyWith(
      value as object,
      new Map(fitting.map(([key, field]) => [key, apply(field, draw, spend, level + 1)])),
    )
  }
  return { fits, apply }
}

/**
 * Flips bits of bytes, of the UTF-16 units of a text (the lower seven, so that ASCII stays ASCII), of a number (as IEEE 754 double), of a
 * whole number of any size (its lowest 64) or a boolean. The bits are all different, so that none is flipped back.
 */
function garbling(bits: number): Change {
  const fits: Change['fits'] = (value, spend, level = 0) => {
    spend(level)
    if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint') return true
    if (typeof value === 'string') return value !== ''
    if (isBytes(value)) return value.byteLength > 0
    if (Array.isArray(value)) return value.some((item) => fits(item, spend, level + 1))
    return isPlain(value) && fieldsOf(value).some(([, field]) => fits(field, spend, level + 1))
  }
  const apply: Change['apply'] = (value, draw, spend, level = 0) => {
    if (typeof value === 'boolean') return !value
    if (typeof value === 'number') {
      const view = Buffer.alloc(8)
      view.writeDoubleBE(value)
      return flipped(view, bits, draw).readDoubleBE()
    }
    if (typeof value === 'bigint')
      return chosenBits(64, bits, draw).reduce((number, bit) => number ^ (1n << BigInt(bit)), value)
    if (typeof value === 'string') {
      const units = Array.from({ length: value.length }, (_, index) => value.charCodeAt(index))
      for (const bit of chosenBits(units.length * 7, bits, draw)) {
        const index = Math.floor(bit / 7)
        units[index] = (units[index] ?? 0) ^ (1 << (bit % 7))
      }
      return units.map((unit) => String.fromCharCode(unit)).join('')
    }
    if (isBytes(value)) return bytesLike(flipped(Buffer.from(bytesOf(value)), bits, draw), value)
    const fields = Array.isArray(value)
      ? value.map((item: unknown, index) => [String(index), item] as const)
      : fieldsOf(value as object)
    const fitting = fields.filter(([, field]) => fits(field, spend, level + 1))
    const [key, field] = fitting[Math.floor(draw() * fitting.length)] ?? []
    return key === undefined ? value : copyWith(value as object, new Map([[key, apply(field, draw, spend, level + 1)]]))
  }
  return { fits, apply }
}

function flipped(bytes: Buffer, bits: number, draw: () => number): Buffer {
  for (const bit of chosenBits(bytes.length * 8, bits, draw))
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
  return bytes
}

function chosenBits(size: number, bits: number, draw: () => number): number[] {
  const chosen = new Set<number>()
  while (chosen.size < Math.min(bits, size)) {
    let bit = Math.floor(draw() * size)
    while (chosen.has(bit)) bit = (bit + 1) % size
    chosen.add(bit)
  }
  return [...chosen]
}

function isNotEmpty(value: unknown): boolean {
  if (isSized(value)) return sizeOf(value) > 0
  return isPlain(value) ? Object.keys(value).length > 0 : value !== null && value !== undefined
}

/** What has no empty form becomes `null`. */
function emptied(value: unknown): unknown {
  if (typeof value === 'string') return ''
  if (isBytes(value)) return bytesLike(Buffer.alloc(0), value)
  if (Array.isArray(value)) return []
  return isPlain(value) ? {} : null
}

function fitsAt(content: unknown, path: string, fits: (value: unknown) => boolean): boolean {
  let value = path === '' ? content : structureOf(content)
  for (const key of keysOf(path)) {
    if (typeof value !== 'object' || value === null || !(key in value)) return false
    value = Reflect.get(value, key)
  }
  return fits(value)
}

/** Text and bytes that hold JSON stay text and bytes. */
function changedAt(content: unknown, path: string, change: (value: unknown) => unknown): unknown {
  if (path === '') return change(content)
  const changed = changedIn(structureOf(content), keysOf(path), change)
  if (changed === UNFIT || (typeof content !== 'string' && !isBytes(content))) return changed
  const text = JSON.stringify(changed)
  return typeof content === 'string' ? text : bytesLike(Buffer.from(text), content)
}

/** Copies what lies on the path, and nothing else. */
function changedIn(
  structure: unknown,
  [key, ...rest]: readonly string[],
  change: (value: unknown) => unknown,
): unknown {
  if (typeof structure !== 'object' || structure === null || key === undefined || !(key in structure)) return UNFIT
  const value: unknown = Reflect.get(structure, key)
  const changed = rest.length === 0 ? change(value) : changedIn(value, rest, change)
  return changed === UNFIT ? UNFIT : copyWith(structure, new Map([[key, changed]]))
}

/** The fields that hold a value. A getter is not asked: it may throw. */
function fieldsOf(structure: object): (readonly [string, unknown])[] {
  return Object.keys(structure).flatMap((key) => {
    const member = Reflect.getOwnPropertyDescriptor(structure, key)
    return member !== undefined && 'value' in member ? [[key, member.value] as const] : []
  })
}

/** A copy with some fields changed, of the same class. Other members are copied as they are, getters included. */
function copyWith(structure: object, changes: ReadonlyMap<string, unknown>): unknown {
  if (Array.isArray(structure))
    return structure.flatMap((item: unknown, index) => {
      const changed = changes.has(String(index)) ? changes.get(String(index)) : item
      return changed === REMOVED ? [] : [changed]
    })
  const copy = Object.create(Object.getPrototypeOf(structure) as object | null) as object
  const names = new Set([...Reflect.ownKeys(structure), ...changes.keys()])
  for (const name of names) {
    const member = changes.has(name as string)
      ? { value: changes.get(name as string), writable: true, enumerable: true, configurable: true }
      : (Reflect.getOwnPropertyDescriptor(structure, name) as PropertyDescriptor)
    if (member.value !== REMOVED) Reflect.defineProperty(copy, name, member)
  }
  return copy
}

/** Bytes in the type of others: a Buffer for a Buffer, else an ArrayBuffer or plain bytes. */
function bytesLike(bytes: Buffer, like: ArrayBuffer | ArrayBufferView): unknown {
  if (Buffer.isBuffer(like)) return bytes
  const copy = Uint8Array.from(bytes)
  return like instanceof ArrayBuffer ? copy.buffer : copy
}

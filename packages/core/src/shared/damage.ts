import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { ChaosError } from '../basics/errors.js'
import { isPlain } from '../fault/data.js'
import { option, type Scalar } from '../fault/option.js'
import { isCopyable } from './copyable.js'
import { exactNumbers } from './json-numbers.js'
import { bytesOf, hasField, isBytes, keysOf, structureOf } from './payload.js'

const KINDS = ['truncate', 'garble', 'empty', 'set', 'remove'] as const

/** The values of {@link damageOptions}. */
export interface DamageOptions {
  readonly damage?: (typeof KINDS)[number] | undefined
  readonly at?: string | undefined
  readonly value?: Scalar | undefined
  readonly length?: number | undefined
  readonly bits?: number | undefined
}

/** The options that all faults share which damage content. */
export const damageOptions = {
  damage: option.optional(
    option.oneOf(
      KINDS,
      'Kind of damage. truncate cuts off the end, garble flips bits, empty empties, set replaces by `value`, remove deletes the field. Default: truncate.',
    ),
  ),
  at: option.optional(
    option.text('Path of the field to damage, such as order.items.0.price. Default: the whole content.'),
  ),
  value: option.optional(option.scalar('With `set`: the new value.')),
  length: option.optional(
    option.count('With `truncate`: the length to keep, in bytes, characters or items. Default: half, rounded down.'),
  ),
  bits: option.optional(option.count('With `garble`: the number of different bits to flip. Default: 1.', 1, 1_000_000)),
}

/** The kind of damage that each option belongs to. */
const KIND_OF_OPTION = { value: 'set', length: 'truncate', bits: 'garble' } as const

/**
 * Refuses damage options that contradict each other.
 *
 * @param fault The name of the fault, for messages.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an option of another kind of damage, `set` without `value`, `remove` without `at`, or
 *   `change` together with another damage option.
 */
export function checkDamage(options: DamageOptions & { readonly change?: unknown }, fault: string): void {
  const { damage = 'truncate', at, value, change } = options
  const refuse = (message: string): never => {
    throw new ChaosError('CHAOS_INVALID_OPTION', message)
  }
  if (change !== undefined)
    for (const name of ['damage', 'at', ...Object.keys(KIND_OF_OPTION)] as const)
      if (Reflect.get(options, name) !== undefined)
        refuse(`Options "change" and "${name}" of ${fault} exclude each other. Remove one of them.`)
  for (const [name, kind] of Object.entries(KIND_OF_OPTION))
    if (Reflect.get(options, name) !== undefined && damage !== kind)
      refuse(
        `Option "${name}" of ${fault} works with \`damage: ${kind}\` only, and \`damage\` is \`${damage}\`. Remove it, or pass \`damage: ${kind}\`.`,
      )
  if (damage === 'set' && value === undefined)
    refuse(`Option "value" of ${fault} is required with \`damage: set\`. Pass the new value.`)
  if (damage === 'remove' && at === undefined)
    refuse(`Option "at" of ${fault} is required with \`damage: remove\`. Pass the path of the field to remove.`)
}

/** Damage with fixed options. Made by {@link damageOf}. */
export interface Damage {
  /** Whether the damage changes this content. Copies nothing. */
  readonly fits: (content: unknown) => boolean
  /**
   * Returns a damaged copy of the content, or the content itself if the damage does not change it. Never changes the original.
   *
   * @param draw Returns the next random number, from 0 (included) to 1 (excluded).
   * @throws RangeError for content of more than 64 levels or 100,000 parts, or an error of a getter in the content.
   */
  readonly damaged: (content: unknown, draw: () => number) => unknown
}

/**
 * Makes damage from options that {@link checkDamage} accepts.
 *
 * Text, bytes and lists are truncated, garbled or emptied as a whole. In a plain object, `truncate` damages every field and
 * `garble` one random field. With `at`, text and bytes that hold JSON are parsed, damaged and serialized again; numbers beside
 * the damaged field keep all their digits. An object on the path whose copy would not work, such as a Map or an instance of a
 * class with #private members, is not damaged.
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

/** The result of a change that removes the field. */
const REMOVED = Symbol('removed')
/** The result of a change that does not apply to the value. */
const UNFIT = Symbol('unfit')

/** Bounds a walk over content by levels and parts, so that it also ends for content that contains itself. */
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
  /** Called only for a value that fits. */
  readonly apply: (value: unknown, draw: () => number, spend: Budget, level?: number) => unknown
}

function changeOf({
  damage,
  value,
  length,
  bits,
  isWhole,
}: Pick<DamageOptions, 'value' | 'length'> & {
  readonly damage: NonNullable<DamageOptions['damage']>
  readonly bits: number
  readonly isWhole: boolean
}): Change {
  switch (damage) {
    case 'truncate':
      return truncating(length)
    case 'garble':
      return garbling(bits)
    case 'empty':
      return { fits: isNotEmpty, apply: emptied }
    case 'remove':
      return { fits: () => true, apply: () => REMOVED }
    case 'set':
      return { fits: () => true, apply: (old) => (isWhole ? inTheFormOf(old, value) : value) }
  }
}

/** Converts a new value for the whole content to the type of the old one: text stays text, bytes stay bytes. */
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
 * Flips bits. In bytes any bit; in text the lower seven bits of a UTF-16 unit, so that ASCII stays ASCII; in a number any
 * bit of the IEEE 754 double; in a bigint one of the lowest 64; a boolean is negated. All bits are different, so that none
 * is flipped back.
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
      return [...chosenBits(64, bits, draw)].reduce((number, bit) => number ^ (1n << BigInt(bit)), value)
    if (typeof value === 'string') {
      const units = Buffer.from(value, 'utf16le')
      for (const bit of chosenBits(value.length * 7, bits, draw)) flip(units, Math.floor(bit / 7) * 2, bit % 7)
      return units.toString('utf16le')
    }
    if (isBytes(value)) return bytesLike(flipped(Buffer.from(bytesOf(value)), bits, draw), value)
    const fields = Array.isArray(value) ? undefined : fieldsOf(value as object)
    const count = fields?.length ?? (value as readonly unknown[]).length
    const start = Math.floor(draw() * count)
    for (let step = 0; step < count; step += 1) {
      const index = (start + step) % count
      const [key, field] = fields?.[index] ?? [String(index), (value as readonly unknown[])[index]]
      if (fits(field, spend, level + 1))
        return copyWith(value as object, new Map([[key, apply(field, draw, spend, level + 1)]]))
    }
    return value
  }
  return { fits, apply }
}

function flipped(bytes: Buffer, bits: number, draw: () => number): Buffer {
  for (const bit of chosenBits(bytes.length * 8, bits, draw)) flip(bytes, Math.floor(bit / 8), bit % 8)
  return bytes
}

function flip(bytes: Buffer, index: number, bit: number): void {
  bytes[index] = (bytes[index] ?? 0) ^ (1 << bit)
}

/** Chooses different bits by Floyd's sampling, which draws once for each chosen bit, however dense the choice is. */
function chosenBits(size: number, bits: number, draw: () => number): Set<number> {
  const chosen = new Set<number>()
  for (let last = size - Math.min(bits, size); last < size; last += 1) {
    const bit = Math.floor(draw() * (last + 1))
    chosen.add(chosen.has(bit) ? last : bit)
  }
  return chosen
}

function isNotEmpty(value: unknown): boolean {
  if (isSized(value)) return sizeOf(value) > 0
  return isPlain(value) ? Object.keys(value).length > 0 : value !== null && value !== undefined
}

/** The empty form of a value. A value without one becomes `null`. */
function emptied(value: unknown): unknown {
  if (typeof value === 'string') return ''
  if (isBytes(value)) return bytesLike(Buffer.alloc(0), value)
  if (Array.isArray(value)) return []
  return isPlain(value) ? {} : null
}

function fitsAt(content: unknown, path: string, fits: (value: unknown) => boolean): boolean {
  let value = path === '' ? content : structureOf(content)
  for (const key of keysOf(path)) {
    if (!hasField(value, key) || !isCopyable(value)) return false
    value = Reflect.get(value, key)
  }
  return fits(value)
}

/** Changes the value at a path. Text and bytes that hold JSON stay text and bytes. */
function changedAt(content: unknown, path: string, change: (value: unknown) => unknown): unknown {
  if (path === '') return change(content)
  if (typeof content !== 'string' && !isBytes(content)) return changedIn(content, keysOf(path), change)
  if (structureOf(content) === undefined) return UNFIT
  const numbers = exactNumbers(typeof content === 'string' ? content : bytesOf(content).toString('utf8'))
  const changed = changedIn(numbers.structure, keysOf(path), (value) => change(numbers.rounded(value)))
  if (changed === UNFIT) return UNFIT
  const text = numbers.textOf(changed)
  return typeof content === 'string' ? text : bytesLike(Buffer.from(text), content)
}

/** Changes the value at a path, and copies only the objects on the path. */
function changedIn(
  structure: unknown,
  [key, ...rest]: readonly string[],
  change: (value: unknown) => unknown,
): unknown {
  if (key === undefined || !hasField(structure, key) || !isCopyable(structure)) return UNFIT
  const value: unknown = Reflect.get(structure, key)
  const changed = rest.length === 0 ? change(value) : changedIn(value, rest, change)
  return changed === UNFIT ? UNFIT : copyWith(structure, new Map([[key, changed]]))
}

/** The fields that hold a value. Skips getters, which may throw. */
function fieldsOf(structure: object): (readonly [string, unknown])[] {
  return Object.keys(structure).flatMap((key) => {
    const member = Reflect.getOwnPropertyDescriptor(structure, key)
    return member !== undefined && 'value' in member ? [[key, member.value] as const] : []
  })
}

/** Copies an object with some fields changed. Keeps its class and its other members, including getters. */
function copyWith(structure: object, changes: ReadonlyMap<string, unknown>): unknown {
  if (Array.isArray(structure)) return listWith(structure, changes)
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

/** Copies a list with some items changed. Its holes stay holes. */
function listWith(list: readonly unknown[], changes: ReadonlyMap<string, unknown>): unknown[] {
  const copy = list.slice()
  for (const [key, value] of changes) {
    if (value !== REMOVED) Reflect.set(copy, key, value)
    else if (Number(key) < copy.length) copy.splice(Number(key), 1)
  }
  return copy
}

/** Copies bytes into the type of `like`: a Buffer, an ArrayBuffer, or else a Uint8Array. Shares no memory with them. */
function bytesLike(bytes: Buffer, like: ArrayBuffer | ArrayBufferView): unknown {
  const copy = Uint8Array.from(bytes)
  if (Buffer.isBuffer(like)) return Buffer.from(copy.buffer)
  return types.isArrayBuffer(like) ? copy.buffer : copy
}

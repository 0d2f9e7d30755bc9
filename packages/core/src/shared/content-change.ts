import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { isPlain } from '../fault/data.js'
import { flipBytes, flippedBigInt, flippedNumber, flippedText, flippedTime } from './bits.js'
import { ContentWalk } from './content-walk.js'
import { copyWith, REMOVED } from './copy-with.js'
import type { DamageOptions } from './damage.js'
import { bytesOf, isBytes } from './payload.js'
import { bytesLike, classedLike, collectionOf, isBuiltIn, sizedOf } from './sized-content.js'

/** The result of a change that does not apply to the value. */
export const UNFIT = Symbol('unfit')

/** One way to change a value. */
export interface Change {
  /** Whether the value can be changed. Copies nothing. */
  readonly fits: (value: unknown) => boolean
  /** Returns a changed copy. {@link UNFIT} exactly for a value that does not fit. */
  readonly changed: (value: unknown, draw: () => number) => unknown
}

/** Makes the change of a damage. */
export function changeOf({
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
      return changing(isNotEmpty, emptied)
    case 'remove':
      return changing(
        () => true,
        () => REMOVED,
      )
    case 'set':
      return isWhole
        ? changing(
            (old) => !isText(old, value) && !Object.is(old, value),
            (old) => inTheFormOf(old, value),
          )
        : changing(
            (old) => !Object.is(old, value),
            () => value,
          )
  }
}

const changing = (fits: Change['fits'], make: (value: unknown) => unknown): Change => ({
  fits,
  changed: (value) => (fits(value) ? make(value) : UNFIT),
})

/** Whether text or bytes already are the text of a value. */
function isText(old: unknown, value: unknown): boolean {
  if (typeof old === 'string') return old === String(value)
  return isBytes(old) && bytesOf(old).equals(Buffer.from(String(value)))
}

/** Converts a new value for the whole content to the type of the old one: text stays text, bytes stay bytes. */
function inTheFormOf(old: unknown, value: unknown): unknown {
  if (typeof old === 'string') return String(value)
  return isBytes(old) ? bytesLike(Buffer.from(String(value)), old) : value
}

function isNotEmpty(value: unknown): boolean {
  const sized = sizedOf(value)
  if (sized !== undefined) return sized.size > 0
  return isPlain(value) ? Object.keys(value).length > 0 : value !== null && value !== undefined
}

/** The empty form of a value. A value without one becomes `null`. */
function emptied(value: unknown): unknown {
  const sized = sizedOf(value)
  if (sized !== undefined) return sized.first(0)
  return isPlain(value) ? {} : null
}

function truncating(length: number | undefined): Change {
  const sizeLeft = (size: number): number => length ?? Math.floor(size / 2)
  const fits = (value: unknown, walk: ContentWalk, level = 0): boolean => {
    if (!walk.enters(value, level)) return false
    const sized = sizedOf(value)
    if (sized !== undefined) {
      const left = sizeLeft(sized.size)
      return left < sized.size && walk.copies(sized.copied(left))
    }
    return isPlain(value) && fieldsOf(value).some((key) => fits(valueOf(value, key), walk, level + 1))
  }
  /** @param done The results for the objects so far, since content may share its parts. */
  const changed = (value: unknown, walk: ContentWalk, done: Map<unknown, unknown>, level = 0): unknown => {
    if (done.has(value)) return done.get(value)
    if (!walk.enters(value, level)) return UNFIT
    const made = changedOnce(value, walk, done, level)
    if (typeof value === 'object') done.set(value, made)
    return made
  }
  const changedOnce = (value: unknown, walk: ContentWalk, done: Map<unknown, unknown>, level: number): unknown => {
    const sized = sizedOf(value)
    if (sized !== undefined) {
      const left = sizeLeft(sized.size)
      return left < sized.size && walk.copies(sized.copied(left)) ? sized.first(left) : UNFIT
    }
    if (!isPlain(value)) return UNFIT
    const changes = new Map<string, unknown>()
    for (const key of fieldsOf(value)) {
      const field = changed(valueOf(value, key), walk, done, level + 1)
      if (field !== UNFIT) changes.set(key, field)
    }
    return changes.size === 0 ? UNFIT : copyWith(value, changes)
  }
  return {
    fits: (value) => fits(value, new ContentWalk()),
    changed: (value) => changed(value, new ContentWalk(), new Map()),
  }
}

/** Where a search for something to garble starts among the items of an object. */
type Start = (count: number) => number

const FROM_FIRST: Start = () => 0

/**
 * Flips bits. In bytes any bit; in text the lower seven bits of a UTF-16 unit, so that ASCII stays ASCII; in a number any
 * bit of the IEEE 754 double; in a bigint one of the lowest 64; in a date one of the lowest 36 of its ms; a boolean is
 * negated. All bits are different, so that none is flipped back.
 */
function garbling(bits: number): Change {
  /** Finds one value to garble, and returns its garbled copy inside copies of all that holds it. */
  const search = <Found>(
    value: unknown,
    start: Start,
    walk: ContentWalk,
    level: number,
    {
      leaf,
      inside,
    }: {
      readonly leaf: (value: unknown) => Found
      readonly inside: (found: Found, replaced: (part: unknown) => unknown) => Found
    },
  ): Found | typeof UNFIT => {
    if (!walk.enters(value, level)) return UNFIT
    if (isGarbled(value, walk)) return leaf(value)
    if (typeof value !== 'object' || value === null) return UNFIT
    for (const [part, replaced] of partsOf(value, start, walk)) {
      const found = search(part, start, walk, level + 1, { leaf, inside })
      if (found !== UNFIT) return inside(found, replaced)
    }
    return UNFIT
  }
  const seeing = { leaf: () => true, inside: () => true }
  return {
    fits: (value) => search(value, FROM_FIRST, new ContentWalk(), 0, seeing) === true,
    changed(value, draw) {
      const making = {
        leaf: (part: unknown) => garbled(part, bits, draw),
        inside: (part: unknown, replaced: (part: unknown) => unknown) => replaced(part),
      }
      const anywhere = search(value, (count) => Math.floor(draw() * count), new ContentWalk(), 0, making)
      // In content beyond the bounds of a walk, only the search from the first part is sure to find what fits.
      return anywhere === UNFIT ? search(value, FROM_FIRST, new ContentWalk(), 0, making) : anywhere
    },
  }
}

/** Whether a value itself can be garbled. */
function isGarbled(value: unknown, walk: ContentWalk): boolean {
  if (typeof value === 'string') return value !== ''
  if (isBytes(value)) return value.byteLength > 0 && walk.copies(value.byteLength)
  if (types.isDate(value)) return isBuiltIn(value) && !Number.isNaN(value.getTime())
  return typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint'
}

function garbled(value: unknown, bits: number, draw: () => number): unknown {
  if (typeof value === 'boolean') return !value
  if (typeof value === 'number') return flippedNumber(value, bits, draw)
  if (typeof value === 'bigint') return flippedBigInt(value, bits, draw)
  if (typeof value === 'string') return flippedText(value, bits, draw)
  if (types.isDate(value)) return classedLike(new Date(flippedTime(value.getTime(), bits, draw)), value)
  const bytes = value as Buffer
  return bytesLike(flipBytes(Buffer.from(bytesOf(bytes)), bits, draw), bytes)
}

/** The parts of an object, all around from one of them, each with a function that puts another one in its place in a copy. */
function* partsOf(
  value: object,
  start: Start,
  walk: ContentWalk,
): Generator<readonly [part: unknown, replaced: (part: unknown) => unknown]> {
  const inCopy = (key: string) => (part: unknown) => copyWith(value, new Map([[key, part]]))
  if (Array.isArray(value)) {
    if (sizedOf(value) === undefined) return
    for (const index of walk.indicesOf(value, start(value.length)))
      yield [valueOf(value, String(index)), inCopy(String(index))]
    return
  }
  const collection = collectionOf(value)
  if (collection !== undefined) {
    if (!walk.copies(sizedOf(value)?.copied(collection.size) ?? 0)) return
    const entries = [...collection.all()]
    for (const at of around(entries.length, start)) {
      const [key, part] = entries[at] as (typeof entries)[number]
      yield [part, (other) => collection.of(entries.map((entry, index) => (index === at ? [key, other] : entry)))]
    }
    return
  }
  if (!isPlain(value)) return
  const fields = fieldsOf(value)
  for (const at of around(fields.length, start)) {
    const key = fields[at] as string
    yield [valueOf(value, key), inCopy(key)]
  }
}

function* around(count: number, start: Start): Generator<number> {
  const first = start(count)
  for (let step = 0; step < count; step += 1) yield (first + step) % count
}

/** The most fields of an object that is damaged as a whole. */
const MAX_FIELDS = 100_000

/** The names of the fields of a plain object; none if there are very many. */
function fieldsOf(structure: object): readonly string[] {
  const names = Object.keys(structure)
  return names.length > MAX_FIELDS ? [] : names
}

/** The value of a field. `undefined` for a getter, which may throw. */
function valueOf(structure: object, key: string): unknown {
  return Reflect.getOwnPropertyDescriptor(structure, key)?.value as unknown
}

import { Buffer } from 'node:buffer'
import { ChaosError } from '../basics/errors.js'
import { option, type Scalar } from '../fault/option.js'
import { changeOf, UNFIT } from './content-change.js'
import { canCopyWith, copyWith } from './copy-with.js'
import { exactNumbers } from './json-numbers.js'
import { bytesOf, hasField, isBytes, keysOf, structureOf } from './payload.js'
import { bytesLike } from './sized-content.js'

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

/** The most levels of a path. */
const MAX_LEVELS = 1_000

/** The kind of damage that each option belongs to. */
const KIND_OF_OPTION = { value: 'set', length: 'truncate', bits: 'garble' } as const

/**
 * Refuses damage options that contradict each other.
 *
 * @param fault The name of the fault, for messages.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an option of another kind of damage, `set` without `value`, `remove` without `at`,
 *   `at` of more than 1,000 levels, or `change` together with another damage option.
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
  if (at !== undefined && keysOf(at).length > MAX_LEVELS)
    refuse(`Option "at" of ${fault} has more than ${MAX_LEVELS} levels. Pass a shorter path.`)
}

/** Damage with fixed options. Made by {@link damageOf}. */
export interface Damage {
  /** Whether the damage changes this content. Copies nothing. @throws Any error of a getter or a Proxy in the content. */
  readonly fits: (content: unknown) => boolean
  /**
   * Returns a damaged copy of the content, or the content itself if the damage does not change it. Never changes the original.
   *
   * @param draw Returns the next random number, from 0 (included) to 1 (excluded).
   * @throws Any error of a getter or a Proxy in the content.
   */
  readonly damaged: (content: unknown, draw: () => number) => unknown
}

/**
 * Makes damage from options that {@link checkDamage} accepts.
 *
 * Text, bytes, lists, Maps, Sets, forms and queries of URLs are truncated, garbled or emptied as a whole, and keep their
 * class. Blobs and Files are truncated and emptied, dates garbled. In a plain object, `truncate` damages every field and
 * `garble` one random field. With `at`, text and bytes that hold JSON of up to 16 MiB are parsed, damaged and serialized
 * again; numbers beside the damaged field keep all their digits. An object on the path whose copy would not work, such as a
 * Map or an instance of a class with #private members, is not damaged.
 *
 * The work is bounded, whatever the content holds: at most 64 levels, 100,000 parts and 256 MiB of bytes, and a hole of a list
 * costs nothing. What lies beyond is left as it is, and so is the inner part of content that contains itself.
 */
export function damageOf({ damage = 'truncate', at = '', value, length, bits = 1 }: DamageOptions): Damage {
  const change = changeOf({ damage, value, length, bits, isWhole: at === '' })
  const path = { keys: keysOf(at), isRemoval: damage === 'remove' }
  return {
    fits: (content) => fitsAt(content, path, change.fits),
    damaged: (content, draw) => {
      const changed = changedAt(content, path, (part) => change.changed(part, draw))
      return changed === UNFIT ? content : changed
    },
  }
}

/** The way to a field. */
interface Path {
  readonly keys: readonly string[]
  /** Whether the field is removed, which moves the items of a list. */
  readonly isRemoval: boolean
}

/** Whether an object has the field at a place of a path, and can be copied with another one. */
function leads(value: unknown, { keys, isRemoval }: Path, at: number): value is object {
  const isLast = at === keys.length - 1
  return hasField(value, keys[at] as string) && canCopyWith(value, { removing: isRemoval && isLast })
}

function fitsAt(content: unknown, path: Path, fits: (value: unknown) => boolean): boolean {
  const { keys } = path
  let value = keys.length === 0 ? content : structureOf(content)
  for (const [at, key] of keys.entries()) {
    if (!leads(value, path, at)) return false
    value = Reflect.get(value, key)
  }
  return fits(value)
}

/** Changes the value at a path. Text and bytes that hold JSON stay text and bytes. */
function changedAt(content: unknown, path: Path, change: (value: unknown) => unknown): unknown {
  if (path.keys.length === 0) return change(content)
  if (typeof content !== 'string' && !isBytes(content)) return changedIn(content, path, 0, change)
  if (structureOf(content) === undefined) return UNFIT
  const numbers = exactNumbers(typeof content === 'string' ? content : bytesOf(content).toString('utf8'))
  const changed = changedIn(numbers.structure, path, 0, (value) => change(numbers.rounded(value)))
  if (changed === UNFIT) return UNFIT
  const text = numbers.textOf(changed)
  return typeof content === 'string' ? text : bytesLike(Buffer.from(text), content)
}

/** Changes the value at a path, and copies only the objects on the path. */
function changedIn(structure: unknown, path: Path, at: number, change: (value: unknown) => unknown): unknown {
  if (!leads(structure, path, at)) return UNFIT
  const key = path.keys[at] as string
  const value: unknown = Reflect.get(structure, key)
  const changed = at === path.keys.length - 1 ? change(value) : changedIn(value, path, at + 1, change)
  return changed === UNFIT ? UNFIT : copyWith(structure, new Map([[key, changed]]))
}

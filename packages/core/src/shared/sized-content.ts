import { Blob, Buffer, type File } from 'node:buffer'
import { types } from 'node:util'
import { bytesOf, isBytes, type Bytes } from './payload.js'

/** Content that has a size and can be cut to a part of it. */
interface Sized {
  /** In characters, items, entries or bytes. */
  readonly size: number
  /** The number of bytes that a copy of this size copies; 0 if it only refers to them. */
  readonly copied: (size: number) => number
  /** Returns a copy of the first part, of the same class. */
  readonly first: (size: number) => unknown
}

/** The length up to which a list is copied place by place. */
const SHORT = 1_000
/** The most items of a list behind a Proxy, which calls code of the application for each. */
const MAX_PROXIED = 100_000
/** About what an entry of a Map or Set takes in memory, in bytes. */
const ENTRY_BYTES = 64

/**
 * Returns how content can be cut: text, bytes, a Blob or File, a list, a Map or Set, a form or a query of a URL.
 *
 * @returns `undefined` for any other value, for an instance of a subclass of Map or Set, and a very long list behind a Proxy.
 */
export function sizedOf(value: unknown): Sized | undefined {
  if (typeof value === 'string') return { size: value.length, copied: none, first: (size) => value.slice(0, size) }
  if (typeof value !== 'object' || value === null) return undefined
  if (isBytes(value)) {
    const itemSize = itemSizeOf(value)
    return {
      size: value.byteLength / itemSize,
      copied: (size) => size * itemSize,
      first: (size) => bytesLike(bytesOf(value).subarray(0, size * itemSize), value),
    }
  }
  if (Array.isArray(value)) {
    if (types.isProxy(value) && value.length > MAX_PROXIED) return undefined
    return { size: value.length, copied: none, first: (size) => firstItems(value, size) }
  }
  const form = formOf(value)
  if (form !== undefined) return form
  const entries = collectionOf(value)
  if (entries === undefined) return undefined
  return {
    size: entries.size,
    copied: (size) => size * ENTRY_BYTES,
    first: (size) => entries.of(firstOf(entries.all(), size)),
  }
}

function firstOf<Item>(all: Iterable<Item>, count: number): readonly Item[] {
  const first: Item[] = []
  for (const item of all) {
    if (first.length >= count) break
    first.push(item)
  }
  return first
}

const none = (): number => 0

/** The entries of a collection that holds them beside its members. */
export interface Collection {
  readonly size: number
  readonly all: () => Iterable<readonly [key: unknown, value: unknown]>
  /** Makes a collection of the same class. */
  readonly of: (entries: readonly (readonly [key: unknown, value: unknown])[]) => object
}

/** Returns the entries of a Map, a Set, a form or a query of a URL. */
export function collectionOf(value: object): Collection | undefined {
  if (types.isMap(value) && isBuiltIn(value))
    return { size: value.size, all: () => value.entries(), of: (entries) => classedLike(new Map(entries), value) }
  if (types.isSet(value) && isBuiltIn(value))
    return {
      size: value.size,
      all: () => value.entries(),
      of: (entries) => classedLike(new Set(entries.map(([, item]) => item)), value),
    }
  const { FormData, URLSearchParams } = globalThis
  const Form = [FormData, URLSearchParams].find(({ prototype }) => Object.getPrototypeOf(value) === prototype)
  if (Form === undefined) return undefined
  const fields = [...(value as FormData)]
  return {
    size: fields.length,
    all: () => fields,
    of(entries) {
      const made = new Form() as FormData
      for (const [name, field] of entries as readonly [string, string][]) made.append(name, field)
      return made
    },
  }
}

/** How a Blob or a File can be cut. Its bytes are not read. */
function formOf(value: object): Sized | undefined {
  if (!(value instanceof Blob)) return undefined
  const { size, type } = value
  const prototype = Object.getPrototypeOf(value) as object
  if (prototype === Blob.prototype) return { size, copied: none, first: (length) => value.slice(0, length, type) }
  // Node.js 18 has no global File.
  const FileClass = Reflect.get(globalThis, 'File') as typeof File | undefined
  if (prototype !== FileClass?.prototype) return undefined
  const { name, lastModified } = value as unknown as File
  return {
    size,
    copied: none,
    first: (length) => new FileClass([value.slice(0, length)], name, { type, lastModified }),
  }
}

/** Whether a value is an instance of a built-in class itself, of any realm, without members of its own. */
export function isBuiltIn(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object
  const made: unknown = Reflect.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  return (
    typeof made === 'function' &&
    Function.prototype.toString.call(made).includes('[native code]') &&
    Reflect.ownKeys(value).length === 0
  )
}

/** Gives a copy the class that the original has in its own realm. */
export function classedLike<Copy extends object>(copy: Copy, like: object): Copy {
  const prototype = Object.getPrototypeOf(like) as object
  return Object.getPrototypeOf(copy) === prototype ? copy : (Object.setPrototypeOf(copy, prototype) as Copy)
}

/** Copies a list with its holes and its class, in time that depends on its items and not on its length. */
export function copyOfList(list: readonly unknown[]): unknown[] {
  const empty = Array.prototype.slice.call(list, 0, 0)
  // `concat` reads a sparse list by its items, other than `slice`, which passes each hole.
  return Array.prototype.concat.call(empty, list)
}

function firstItems(list: readonly unknown[], size: number): unknown[] {
  if (size <= SHORT) return Array.prototype.slice.call(list, 0, size)
  const copy = copyOfList(list)
  copy.length = size
  return copy
}

/** The size of an item of a typed array, in bytes. */
function itemSizeOf(bytes: Bytes): number {
  return 'BYTES_PER_ELEMENT' in bytes ? (bytes as Uint8Array).BYTES_PER_ELEMENT : 1
}

/**
 * Copies bytes into the class of `like`: a Buffer, a typed array, a DataView or a buffer. Shares no memory with them. The
 * last item of a typed array is filled up with zeros.
 */
export function bytesLike(bytes: Buffer, like: Bytes): unknown {
  const itemSize = itemSizeOf(like)
  const size = Math.ceil(bytes.length / itemSize) * itemSize
  const memory = types.isSharedArrayBuffer(like) ? new SharedArrayBuffer(size) : new ArrayBuffer(size)
  new Uint8Array(memory).set(bytes)
  if (Buffer.isBuffer(like)) return Buffer.from(memory)
  if (!ArrayBuffer.isView(like)) return classedLike(memory, like)
  if (types.isDataView(like)) return classedLike(new DataView(memory), like)
  const View: unknown = Reflect.get(globalThis, (like as Uint8Array)[Symbol.toStringTag])
  return classedLike(new (View as Uint8ArrayConstructor)(memory), like)
}

import { Buffer } from 'node:buffer'
import { types } from 'node:util'

/**
 * Returns the value of a field by path (`order.items.0.price`). The empty path is the payload itself. Text and bytes are
 * parsed as JSON.
 *
 * @returns The value, or `undefined` if there is no such field.
 */
export function fieldOf(payload: unknown, path: string): unknown {
  let value = path === '' ? payload : structureOf(payload)
  for (const key of keysOf(path)) {
    if (!hasField(value, key)) return undefined
    value = Reflect.get(value, key)
  }
  return value
}

/**
 * Whether a value has a field of this name. A field of a list is an own one, except `length`. A field of any other object
 * may also be inherited, but not from `Object.prototype`.
 */
export function hasField(value: unknown, key: string): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return key !== 'length' && Object.hasOwn(value, key)
  return Object.hasOwn(value, key) || (key in value && !(key in Object.prototype))
}

/** The keys of a path. */
export const keysOf = (path: string): string[] => (path === '' ? [] : path.split('.'))

/** Binary content: a Buffer, any other view, or the memory behind one. */
export type Bytes = ArrayBufferLike | ArrayBufferView

/** Whether a payload is binary: a Buffer, any other view, an ArrayBuffer or a SharedArrayBuffer. */
export function isBytes(payload: unknown): payload is Bytes {
  return types.isAnyArrayBuffer(payload) || ArrayBuffer.isView(payload)
}

/** Returns the bytes of a payload without copying them. */
export function bytesOf(payload: Bytes): Buffer {
  return types.isAnyArrayBuffer(payload)
    ? Buffer.from(payload)
    : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
}

/**
 * Copies bytes, since the sender may reuse them after sending. Returns any other payload as it is. A detached buffer is
 * returned as it is too, so that the client reports the error. Of a view only the visible part is copied: the buffer behind
 * it may hold megabytes.
 */
export function copiedBytes(payload: unknown): unknown {
  try {
    if (Buffer.isBuffer(payload)) return Buffer.from(payload)
    if (types.isArrayBuffer(payload)) return payload.slice(0)
    if (types.isDataView(payload))
      return new DataView(payload.buffer.slice(payload.byteOffset, payload.byteOffset + payload.byteLength))
    return ArrayBuffer.isView(payload) ? (payload as Uint8Array).slice() : payload
  } catch {
    return payload
  }
}

/** The longest text that is parsed, in characters or bytes. A longer one would block the event loop for long. */
const MAX_JSON = 16_777_216

/**
 * Parses text and bytes as JSON (`undefined` if they are not JSON, or longer than 16 MiB). Returns any other payload as it is.
 */
export function structureOf(payload: unknown): unknown {
  if (typeof payload !== 'string' && !isBytes(payload)) return payload
  if ((typeof payload === 'string' ? payload.length : payload.byteLength) > MAX_JSON) return undefined
  try {
    return JSON.parse(typeof payload === 'string' ? payload : bytesOf(payload).toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

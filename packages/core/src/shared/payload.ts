import { Buffer } from 'node:buffer'

/**
 * The value of a field, by path (`order.items.0.price`); the empty path is the payload itself. A payload of text or bytes is read as the JSON it holds.
 *
 * @returns `undefined` where there is no such field.
 */
export function fieldOf(payload: unknown, path: string): unknown {
  let value = path === '' ? payload : structureOf(payload)
  for (const key of keysOf(path)) {
    if (typeof value !== 'object' || value === null || !(key in value)) return undefined
    value = Reflect.get(value, key)
  }
  return value
}

/** The keys of a path. */
export const keysOf = (path: string): string[] => (path === '' ? [] : path.split('.'))

/** Whether a payload is bytes: a Buffer, any other view, or an ArrayBuffer. */
export function isBytes(payload: unknown): payload is ArrayBuffer | ArrayBufferView {
  return payload instanceof ArrayBuffer || ArrayBuffer.isView(payload)
}

/** The bytes of a payload, without a copy. */
export function bytesOf(payload: ArrayBuffer | ArrayBufferView): Buffer {
  return payload instanceof ArrayBuffer
    ? Buffer.from(payload)
    : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
}

/**
 * A copy of bytes, which their owner may use again once they are sent; anything else as it is, and bytes that are gone already (a buffer that was
 * transferred), of which the client says what is wrong with them. Of a view only what it shows is copied: there may be megabytes beneath it.
 */
export function copiedBytes(payload: unknown): unknown {
  try {
    if (Buffer.isBuffer(payload)) return Buffer.from(payload)
    if (payload instanceof ArrayBuffer) return payload.slice(0)
    if (payload instanceof DataView)
      return new DataView(payload.buffer.slice(payload.byteOffset, payload.byteOffset + payload.byteLength))
    return ArrayBuffer.isView(payload) ? (payload as Uint8Array).slice() : payload
  } catch {
    return payload
  }
}

/** What a payload holds: the parsed JSON of text and bytes, anything else as it is. */
export function structureOf(payload: unknown): unknown {
  if (typeof payload !== 'string' && !isBytes(payload)) return payload
  try {
    return JSON.parse(typeof payload === 'string' ? payload : bytesOf(payload).toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

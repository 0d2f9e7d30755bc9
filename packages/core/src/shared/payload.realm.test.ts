import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { bytesOf, copiedBytes, isBytes } from './payload.js'

it.each(['new Uint8Array([1, 2]).buffer', 'new DataView(new Uint8Array([1, 2]).buffer)', 'new Uint8Array([1, 2])'])(
  'copies bytes of another realm: %s',
  (code) => {
    const payload: unknown = runInNewContext(code)
    expect(isBytes(payload)).toBe(true)
    const copy = copiedBytes(payload)
    expect(copy).not.toBe(payload)
    expect(isBytes(copy) && [...bytesOf(copy)]).toEqual([1, 2])
  },
)

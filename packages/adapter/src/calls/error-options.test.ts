import { injectedBy } from '@chaos/core'
import { expect, it } from 'vitest'
import { errorOf } from './error-options.js'
import type { Call } from './call.js'

it('makes an error of what is none, so that it can be marked', () => {
  const call = { name: 'get', args: [] } as unknown as Call
  for (const made of ['out of order', undefined, 7]) {
    const error = errorOf('adapter/refuse-calls', { makeError: () => made as never }, 'unavailable' as never)(call)
    expect(error).toBeInstanceOf(Error)
    expect(error.message).toBe(String(made))
    expect(injectedBy(error)).toBe('adapter/refuse-calls')
  }
})

import { expect, it, vi } from 'vitest'
import { testAuthority } from '../../test/tls.js'
import { clientTls } from './client-tls.js'

it('makes one certificate for each of the last 100 names', async () => {
  const authority = await testAuthority()
  const identity = authority.serverIdentity('localhost')
  const serverIdentity = vi.fn(() => identity)
  const { SNICallback } = clientTls({ authority: { ...authority, serverIdentity } }, '127.0.0.1')
  serverIdentity.mockClear()
  const names = Array.from({ length: 100 }, (_none, n) => `${n}.test`)
  for (const name of [...names, ...names, ...names]) SNICallback?.(name, (error) => expect(error).toBe(null))
  expect(serverIdentity).toHaveBeenCalledTimes(100)
})

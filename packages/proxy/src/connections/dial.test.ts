import dns from 'node:dns'
import type { LookupFunction, Socket } from 'node:net'
import { expect, it, vi } from 'vitest'
import { dial } from './dial.js'

const ANSWER = [
  { address: '::1', family: 6 },
  { address: '127.0.0.1', family: 4 },
]

/** What a socket that connects to a name is told by its lookup. */
function lookedUp(all: boolean): Promise<readonly unknown[]> {
  return new Promise((resolve) => {
    const connect = ({ lookup }: { readonly lookup: LookupFunction }): void =>
      lookup('both.test', { all }, (...answer) => resolve(answer))
    dial({ connect } as unknown as Socket, { host: 'both.test', port: 1 })
  })
}

it('tries addresses of IPv4 first, whether the socket takes one address or all', async () => {
  vi.spyOn(dns, 'lookup').mockImplementation(((
    _host: string,
    _options: object,
    found: (...answer: unknown[]) => void,
  ) => found(null, ANSWER)) as never)
  expect(await lookedUp(true)).toEqual([null, [ANSWER[1], ANSWER[0]]])
  expect(await lookedUp(false)).toEqual([null, '127.0.0.1', 4])
})

it('has the socket try one address after the other, which Node.js 18 does not by itself', () => {
  const connect = vi.fn()
  dial({ connect } as unknown as Socket, { host: 'both.test', port: 1 })
  expect(connect).toHaveBeenCalledWith(expect.objectContaining({ autoSelectFamily: true }))
})

it('gives the error of a lookup on', async () => {
  const error = new Error('getaddrinfo ENOTFOUND both.test')
  vi.spyOn(dns, 'lookup').mockImplementation(((
    _host: string,
    _options: object,
    found: (...answer: unknown[]) => void,
  ) => found(error)) as never)
  expect(await lookedUp(true)).toEqual([error, '', 0])
})

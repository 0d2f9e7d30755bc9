import { expect, it } from 'vitest'
import { isDeeperThan, toJson } from './json.js'

it('shows as text what JSON cannot carry', () => {
  expect(
    JSON.parse(
      toJson({
        a: 1n,
        b: new TypeError('no'),
        c: Symbol('s'),
        d: function d(): void {
          expect.fail()
        },
        e: undefined,
        f: [Number.NaN],
      }),
    ),
  ).toEqual({
    a: '1',
    b: 'TypeError: no',
    c: 'Symbol(s)',
    d: '[Function d]',
    f: [null],
  })
})

it('ends where a value holds itself, and shows again what is merely there twice', () => {
  const twice = { x: 1 }
  const round: Record<string, unknown> = { twice, list: [twice] }
  round['self'] = round
  expect(JSON.parse(toJson(round))).toEqual({ twice: { x: 1 }, list: [{ x: 1 }], self: '[Circular]' })
})

it('says of what throws when it is looked at that it cannot be read, and shows the rest', () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const hostile = {
    a: {
      toJSON: () => {
        throw new Error('no')
      },
    },
    b: {
      get x(): string {
        throw new Error('no')
      },
      y: 1,
    },
    c: proxy,
    d: 1n,
  }
  expect(JSON.parse(toJson(hostile))).toEqual({
    a: { toJSON: '[Function toJSON]' },
    b: { x: '[Unreadable]', y: 1 },
    c: '[Unreadable]',
    d: '1',
  })
})

it('knows how deep a value is', () => {
  expect(isDeeperThan({ a: [{}] }, 3)).toBe(false)
  expect(isDeeperThan({ a: [{}] }, 2)).toBe(true)
  expect(isDeeperThan('text', 0)).toBe(false)
})

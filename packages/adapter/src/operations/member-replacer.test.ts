import { inject } from '@chaos/core'
import { defineFault } from '@chaos/core/authoring'
import { expect, it } from 'vitest'
import { memberReplacer } from './member-replacer.js'

class Reply {
  end(text: string): string {
    return text
  }
}

/** Puts a letter in front of what `end` is called with. */
const prefix = (letter: string, replies: readonly Reply[], restoresAtOnce = false) =>
  defineFault({
    name: `test/prefix-${letter}`,
    kind: 'standing',
    summary: 'A fault of this test.',
    options: {},
    target: { expects: 'anything', accepts: () => true },
    inject(_target: unknown, _options, context) {
      const replaceMember = memberReplacer(context)
      for (const reply of replies)
        replaceMember(
          reply,
          'end',
          (original, restore) =>
            function (this: unknown, text) {
              if (restoresAtOnce) restore()
              const given = context.signal.aborted ? text : `${letter}${String(text)}`
              return (original as Reply['end']).call(this as Reply, given as string)
            },
        )
    },
  })()

it('gives each object its own members back when the injection ends', async () => {
  const [inherited, own] = [new Reply(), Object.assign(new Reply(), { end: (text: string) => `${text}!` })]
  const before = Object.getOwnPropertyDescriptor(own, 'end')
  const injection = await inject(prefix('a', [inherited, own]), {})
  expect([inherited.end('x'), own.end('x')]).toEqual(['ax', 'ax!'])
  await injection.rollback()
  expect(Reflect.ownKeys(inherited)).toEqual([])
  expect(Object.getOwnPropertyDescriptor(own, 'end')).toEqual(before)
})

it.each([
  ['first in, first out', [0, 1]],
  ['first in, last out', [1, 0]],
])('lets two injections leave one object: %s', async (_order, order) => {
  const reply = new Reply()
  const injections = [await inject(prefix('a', [reply]), {}), await inject(prefix('b', [reply]), {})]
  expect(reply.end('x')).toBe('abx')
  await injections[order[0] as number]?.rollback()
  expect(reply.end('x')).toBe(order[0] === 0 ? 'bx' : 'ax')
  await injections[order[1] as number]?.rollback()
  expect(Reflect.ownKeys(reply)).toEqual([])
})

it('keeps a replacement that other code made on top', async () => {
  const reply = new Reply()
  const injection = await inject(prefix('a', [reply]), {})
  const { end } = reply
  reply.end = (text) => `(${end.call(reply, text)})`
  await injection.rollback()
  expect(reply.end('x')).toBe('(x)')
})

it('restores a member before the injection ends', async () => {
  const reply = new Reply()
  const injection = await inject(prefix('a', [reply], true), {})
  expect([reply.end('x'), reply.end('x')]).toEqual(['ax', 'x'])
  expect(Reflect.ownKeys(reply)).toEqual([])
  await injection.rollback()
})

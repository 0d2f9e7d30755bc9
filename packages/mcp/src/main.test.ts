import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { main } from './main.js'

/** Runs the command within this process, as somebody at a terminal. */
async function typed(...argv: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await main(argv, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    env: {},
    isTerminal: true,
    ask: () => Promise.resolve(undefined),
    input: new PassThrough(),
    output: new PassThrough(),
    folder: '/',
    signal: new AbortController().signal,
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

it('shows its help to a person who types no verb, rather than waiting for a client', async () => {
  const { code, out } = await typed()
  expect(code).toBe(2)
  for (const verb of ['serve', 'open', 'close', 'audit']) expect(out).toMatch(new RegExp(`^  ${verb} `, 'm'))
  expect(await typed('--help')).toEqual({ code: 0, out, err: '' })
  expect((await typed('--version')).out).toMatch(/^\d+\.\d+\.\d+/)
})

it.each([
  [['opne'], /Unknown command "opne"\. Did you mean "open"\?/],
  [['open', '--fro', '1m'], /Did you mean "--for"\?/],
  [['open', '--for', '1d'], /a time from 1s to 4 h/],
  [['open', '--for', '1m', '--for', '2m'], /given 2 times/],
  [['open', '--process', ''], /needs a process id or name/],
  [['close', 'now'], /now/],
  [['audit', '--limit', '0'], /1 to 10000/],
  [['serve', '--folder', '/nonexistent'], /Pass one that exists/],
])('refuses %j with a usage error and a next step', async (argv, why) => {
  const { code, out, err } = await typed(...argv)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toMatch(why)
  expect(err).toMatch(/^next: /m)
})

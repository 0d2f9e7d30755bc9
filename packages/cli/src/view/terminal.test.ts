import { expect, it } from 'vitest'
import { bold, terminal } from './terminal.js'

const URLS =
  'from redis://me:p@ss:w0rd@h:1/2?a=b to "rediss://:w0rd@[::1]" by ws://a:w0rd@b,c, not http://x:1/a@b or mailto:a@b'
const SHOWN = 'from redis://me:…@h:1/2?a=b to "rediss://:…@[::1]" by ws://a:…@b,c, not http://x:1/a@b or mailto:a@b'

it('leaves out the passwords of URLs, wherever it prints', () => {
  const printed: string[] = []
  const print = (text: string): void => void printed.push(text)
  const never = (): Promise<never> => new Promise(() => undefined)
  const { out, err, json } = terminal({
    out: print,
    err: print,
    isTerminal: false,
    env: {},
    signal: new AbortController().signal,
    discover: never,
    connect: never,
  })
  out('said ', bold(URLS))
  err(URLS)
  json({ [URLS]: [URLS, 'then', 'a@b'] }, { isOneLine: true })
  expect(printed).toEqual([`said ${SHOWN}`, SHOWN, JSON.stringify({ [SHOWN]: [SHOWN, 'then', 'a@b'] })])
})

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '@chaos/control'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Replay } from '../explore/replay.js'
import { explore, reportFolder, startShop, type Shop } from '../../test/live/shop.js'

/** A search takes some 50 requests a run, on a machine that may be busy. */
const SLOW_MS = 60_000

const order = ({ url, path }: Shop): readonly string[] => [
  ...['--socket', path, '--load', `POST ${url}/orders`, '--reset', `POST ${url}/reset`],
  ...['--within', '50ms', '--quiet', '10ms', '--deadline', '30s'],
]

const charges = ({ url }: Shop): string =>
  JSON.stringify({
    name: 'charges',
    type: 'http',
    url: `${url}/stats`,
    path: 'charges',
    tolerance: { atMost: 1 },
    timeoutMs: 30_000,
  })

async function inForce({ path }: Shop): Promise<number> {
  const client = await connect({ socketPath: path })
  onTestFinished(() => client.close())
  return (await client.injections()).filter(({ status }) => status !== 'ended').length
}

describe('a live app', () => {
  it('is explored over its control endpoint, and a finding replays', { timeout: SLOW_MS }, async () => {
    const shop = await startShop()
    const folder = reportFolder()
    const asked = ['--fault', 'payments:refuse-calls', '--fault', 'fail-after-call', '--fault', 'drop-events']
    const { code, out, err } = await explore([...order(shop), '--probe', charges(shop), ...asked, '--report', folder])
    expect(err).toBe('')
    expect(code).toBe(10)
    expect(out).toContain('1. payments.charge #1: adapter/fail-after-call\n   charges: expected ≤ 1, got 2')
    expect(out).toContain('   chaos inject payments fail-after-call --only charge --limit 1')
    expect(out).toMatch(/^payments\.charge #1 +survived +broke/m)
    expect(out).toMatch(/^bus\.ordered #1 +survived/m)
    expect(out).not.toContain('store.save')
    expect(await inForce(shop)).toBe(0)

    const report = join(folder, 'explore.json')
    expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({
      version: 1,
      map: { kinds: expect.arrayContaining(['adapter/refuse-calls']) as unknown },
      unstable: [],
    })
    expect(readFileSync(join(folder, 'explore.html'), 'utf8')).toContain('<td class="broke"')
    const replayed = await explore([...order(shop), '--probe', charges(shop), ...asked, '--replay', report])
    expect(replayed.out).toBe('payments.charge #1: adapter/fail-after-call: breaks: charges: expected ≤ 1, got 2\n')
    expect(replayed.code).toBe(10)

    const [found] = (JSON.parse(readFileSync(report, 'utf8')) as { findings: { replay: Replay }[] }).findings
    const late = found?.replay.hits.map((hit) => ({ ...hit, point: { ...hit.point, call: 9 } }))
    writeFileSync(report, JSON.stringify({ findings: [{ replay: { ...found?.replay, hits: late } }, found] }))
    const both = await explore([...order(shop), '--probe', charges(shop), ...asked, '--replay', report])
    expect(both.out.split('\n')).toEqual([
      'payments.charge #9: adapter/fail-after-call: The finding is not reproduced. The call payments.charge #9 was not made.',
      'payments.charge #1: adapter/fail-after-call: breaks: charges: expected ≤ 1, got 2',
      '',
    ])
    expect(both.code).toBe(10)
    expect(await inForce(shop)).toBe(0)
  })

  it('holds, and nothing is found', { timeout: SLOW_MS }, async () => {
    const shop = await startShop()
    const check = ['--check', `${shop.url}/stats`, '--target', 'store', '--depth', '1', '--json', '--complete']
    const { code, out } = await explore([...order(shop), ...check])
    expect(JSON.parse(out)).toMatchObject({ findings: [], complete: true, leftOut: [] })
    expect(code).toBe(0)
  })

  it('that ends under a fault is a finding, also if it does not come back', { timeout: SLOW_MS }, async () => {
    const shop = await startShop()
    const risky = ['--socket', shop.path, '--load', `POST ${shop.url}/risky`, '--check', `${shop.url}/stats`]
    const { code, out } = await explore([...risky, '--target', 'store', '--restart', '1ms', '--quiet', '10ms'])
    expect(out).toContain(
      '1. store.save #1: adapter/refuse-calls\n   The app ended, hangs, or closed its control endpoint.',
    )
    expect(out).toContain('not complete: a finding spoiled the runs after it')
    expect(out).toMatch(/^store\.save #1 +broke/m)
    expect(code).toBe(10)
  })

  it('gets everything back when the search is interrupted', { timeout: SLOW_MS }, async () => {
    const shop = await startShop()
    const client = await connect({ socketPath: shop.path })
    onTestFinished(() => client.close())
    const interrupt = new AbortController()
    // The load hangs from then on.
    client.follow((entry) => {
      if (entry.type === 'landed') interrupt.abort('SIGINT')
    })
    const hang = ['--check', `${shop.url}/stats`, '--fault', 'hang-calls']
    const { code, err } = await explore([...order(shop), ...hang], interrupt.signal)
    expect(code).toBe(130)
    expect(err).toBe('interrupted (SIGINT): what was in force has been rolled back\n')
    expect(await inForce(shop)).toBe(0)
  })

  it('whose invariant does not hold without a fault is not explored', { timeout: SLOW_MS }, async () => {
    const shop = await startShop()
    const { code, err } = await explore([...order(shop), '--check', 'exit 3'])
    expect(err).toBe(
      'error: A run without a fault breaks: exit 3: expected to succeed, got exit 3 (CHAOS_NOT_EXPLORED)\n',
    )
    expect(code).toBe(16)
    expect(await inForce(shop)).toBe(0)
  })

  it('is not touched if a fault is unknown', { timeout: SLOW_MS }, async () => {
    const shop = await startShop()
    const { code, err } = await explore([...order(shop), '--check', 'true', '--fault', 'refuse-cals'])
    expect(err).toContain('Did you mean "refuse-calls"?')
    expect(code).toBe(2)
  })
})

describe('what is typed', () => {
  const load = ['--load', 'true']
  it.each([
    [[], 'Usage: chaos explore'],
    [['--help'], 'Usage: chaos explore'],
    [['--chek', 'true'], 'Did you mean "--check"?'],
    [['--check', 'true'], 'Name what uses the app'],
    [load, 'Say what must be true after each run'],
    [[...load, ...load, '--check', 'true'], 'was given 2 times'],
    [[...load, '--check', 'true', '--body', '{}'], '`--body` is the body of a request'],
    [[...load, '--check', 'true', '--times', '0'], 'a whole number from 1 to 1000'],
    [[...load, '--check', 'true', '--within', '5'], 'a time such as 500ms'],
    [[...load, '--probe', '{'], '`--probe` is no JSON'],
    [[...load, '--probe', '{"type":"http"}'], 'The field "name" is missing'],
    [[...load, '--probe', '/nowhere'], 'cannot be read'],
    [[...load, '--check', 'true', '--socket', 'a', '--name', 'b'], 'Several options select the process'],
    [[...load, '--check', 'true', '--url', 'http://127.0.0.1:1/chaos'], 'The token for'],
  ])('is checked before anything is done: %j', async (args, said) => {
    const { code, out, err } = await explore(args)
    expect(out + err).toContain(said)
    expect(code).toBe(args[0] === '--help' ? 0 : args.includes('--url') ? 4 : 2)
  })

  it.each([
    ['{"version":1,"hits":[]}', 'error: '],
    ['{"version":1,"name":"a","hits":[]}', 'The finding has no hits'],
    ['{"findings":[]}', 'has no findings to replay'],
    ['{"findings":[7]}', 'error: '],
  ])('may be a file to replay that has none: %s', async (text, said) => {
    const file = join(reportFolder(), 'finding.json')
    writeFileSync(file, text)
    const { code, err } = await explore([...load, '--check', 'true', '--replay', file])
    expect(err).toContain(said)
    expect(code).toBe(2)
  })
})

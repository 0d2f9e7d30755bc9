import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInThisContext } from 'node:vm'
import { failAfterCall, refuseCalls } from '@chaos/adapter'
import { inject } from '@chaos/core'
import { needScopes, openScope, runInScope } from '@chaos/core/authoring'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { makeShop, orderIsChargedOnce, type Shop } from '../../test/shop.js'
import { explore } from './explore.js'
import type { Exploration } from './exploration.js'
import { asReplay } from './replay.js'

const NAME = 'an order is charged once'

const HIT = {
  point: { scope: NAME, target: 'payments', operation: 'charge', call: 1 },
  kind: 'adapter/fail-after-call',
}

async function explored(isIdempotent: boolean, orders = 1): Promise<Exploration> {
  let shop: Shop
  return explore(
    {
      name: NAME,
      reset: () => void (shop = makeShop({ isIdempotent })),
      targets: () => ({ payments: shop.payments, stock: shop.stock }),
      faults: { payments: [refuseCalls, failAfterCall], stock: [refuseCalls] },
      onFinding: 'return',
    },
    async () => {
      for (let n = 0; n < orders; n += 1) await orderIsChargedOnce(shop)
    },
  )
}

function fileOf(replay: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-replay-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'finding.json')
  writeFileSync(file, JSON.stringify(replay))
  return file
}

describe('a finding', () => {
  it('is code that breaks an ordinary test', async () => {
    const [finding] = (await explored(false)).findings
    const shop = makeShop({ isIdempotent: false })
    onTestFinished(needScopes())
    const code = (finding?.code ?? '').replaceAll('await inject', 'injections.push(await inject') + ')'
    const names = {
      inject,
      refuseCalls,
      failAfterCall,
      payments: shop.payments,
      injections: [] as { rollback(): Promise<unknown> }[],
    }
    const paste = runInThisContext(`(async (${Object.keys(names).join(', ')}) => { ${code} })`) as (
      ...values: unknown[]
    ) => Promise<void>
    await paste(...Object.values(names))
    await expect(
      runInScope(openScope(NAME, { parent: undefined, numbered: false }), () => orderIsChargedOnce(shop)),
    ).rejects.toThrow('charged 2 times')
    for (const injection of names.injections) await injection.rollback()
    expect(names.injections).toHaveLength(1)
  })

  it('is replayed from its file, as often as wanted, and holds once the cause is fixed', async () => {
    const [finding] = (await explored(false)).findings
    vi.stubEnv('CHAOS_REPLAY', fileOf(finding?.replay))
    for (let n = 0; n < 20; n += 1)
      expect(await explored(false)).toMatchObject({
        line: 'a finding of 1 fault replayed: the test breaks',
        findings: [{ reason: 'charged 2 times' }],
      })
    expect(await explored(true)).toMatchObject({
      line: 'a finding of 1 fault replayed: the test holds',
      findings: [],
      complete: false,
    })
  })

  it('is replayed by the setting that the report prints', async () => {
    const report = (await explored(false)).report()
    const [, setting = ''] = /^ {3}replay: (CHAOS_REPLAY=.*)$/m.exec(report) ?? []
    const given = execFileSync('sh', ['-c', `${setting} ; printf %s "$CHAOS_REPLAY"`], { encoding: 'utf8' })
    vi.stubEnv('CHAOS_REPLAY', given)
    expect(await explored(false)).toMatchObject({ findings: [{ reason: 'charged 2 times' }], result: { runs: 1 } })
  })

  it('is not reproduced if the test does not make its call any more, which is no pass', async () => {
    const [finding] = (await explored(false)).findings
    vi.stubEnv('CHAOS_REPLAY', fileOf(finding?.replay))
    await expect(explored(false, 0)).rejects.toMatchObject({
      code: 'CHAOS_NOT_EXPLORED',
      message: `The finding of "${NAME}" is not reproduced. The call ${NAME}: payments.charge #1 was not made.`,
    })
  })

  it.each([
    [
      { kind: 'adapter/refuse-cals' },
      'payments: Unknown fault "adapter/refuse-cals". Did you mean "adapter/refuse-calls"?',
    ],
    [{ point: { ...HIT.point, target: 'paymnts' } }, 'Unknown target "paymnts". Did you mean "payments"?'],
  ])('that was edited is not reproduced, and says why: %j', async (changes, why) => {
    vi.stubEnv('CHAOS_REPLAY', fileOf({ version: 1, name: NAME, hits: [{ ...HIT, ...changes }] }))
    await expect(explored(false)).rejects.toMatchObject({
      code: 'CHAOS_NOT_EXPLORED',
      message: expect.stringContaining(why) as unknown,
    })
  })

  it('of another test leaves a test alone', async () => {
    const [finding] = (await explored(false)).findings
    vi.stubEnv('CHAOS_REPLAY', fileOf({ ...finding?.replay, name: 'another' }))
    expect((await explored(true)).line).toContain('sets run')
  })

  it.each([
    [
      'no file',
      'nowhere.json',
      /^Expected `CHAOS_REPLAY` to be a finding or to name its file, got `nowhere.json`: ENOENT/,
    ],
    ['cut', '{"version":1', /^Expected `CHAOS_REPLAY` to be a finding or to name its file, got `{"version":1`: /],
    ['another version', { version: 2, name: 'x', hits: [] }, /`version` of the finding/],
    ['without hits', { version: 1, name: NAME, hits: [] }, /The finding has no hits/],
    ['one that hits a call twice', { version: 1, name: NAME, hits: [HIT, HIT] }, /hits one call twice/],
    ['a folder', tmpdir(), /it is no regular file/],
    [
      'a hit without a call',
      { version: 1, name: 'x', hits: [{ point: { scope: '', target: 'a', operation: 'b' }, kind: 'c' }] },
      /`call` of a point/,
    ],
  ])('is refused if it is %s', async (_, replay, message) => {
    vi.stubEnv('CHAOS_REPLAY', typeof replay === 'string' ? replay : fileOf(replay))
    await expect(explored(true)).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
      message: expect.stringMatching(message) as unknown,
    })
  })

  it('survives JSON', async () => {
    const { findings } = await explored(false)
    for (const { replay } of findings) expect(asReplay(JSON.parse(JSON.stringify(replay)))).toEqual(replay)
  })
})

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { failAfterCall, refuseCalls } from '@chaos/adapter'
import { expect, it, onTestFinished, vi } from 'vitest'
import { makeShop, type Shop } from '../../test/shop.js'
import { explore } from '../explore/explore.js'
import type { Exploration } from '../explore/exploration.js'

function tableFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-behaviours-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'order.behaviours.json')
}

async function exploreOrder(behaviours: string, order: (shop: Shop) => Promise<unknown>): Promise<Exploration> {
  let shop: Shop
  return explore(
    {
      name: 'order',
      behaviours,
      reset: () => void (shop = makeShop({ isIdempotent: true })),
      targets: () => ({ payments: shop.payments, stock: shop.stock }),
      faults: { payments: [refuseCalls, failAfterCall], stock: [refuseCalls] },
      depth: 1,
      onFinding: 'return',
    },
    () => order(shop),
  )
}

it('writes what a test answers under each fault, and takes another answer for a finding', async () => {
  const file = tableFile()
  vi.stubEnv('CHAOS_UPDATE', '1')
  expect((await exploreOrder(file, (shop) => shop.order('7'))).findings).toEqual([])
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    version: 1,
    points: {
      'order: payments.charge #1': {
        'adapter/refuse-calls': 'no effect',
        'adapter/fail-after-call': 'no effect',
        'adapter/refuse-calls from then on': 'declined',
        'adapter/fail-after-call from then on': 'declined',
      },
      'order: stock.reserve #1': { 'adapter/refuse-calls': 'declined' },
    },
  })
  vi.stubEnv('CHAOS_UPDATE', undefined)
  expect((await exploreOrder(file, (shop) => shop.order('7'))).findings).toEqual([])
  const { findings } = await exploreOrder(file, async (shop) => {
    const answer = await shop.order('7')
    return answer === 'declined' ? 'sorry' : answer
  })
  expect(findings.map(({ reason }) => reason)).toContain(
    `Undeclared behaviour: expected \`declined\`, got \`sorry\`. If it is right, run with \`CHAOS_UPDATE=1\` and review ${file}.`,
  )
})

it('takes every answer for a finding as long as there is no table', async () => {
  const { findings } = await exploreOrder(tableFile(), (shop) => shop.order('7'))
  expect(findings.length).toBeGreaterThan(0)
  expect(findings[0]?.reason).toMatch(/^Undeclared behaviour: expected nothing, got `/)
})

it('judges also what is replayed', async () => {
  const file = tableFile()
  const order = (shop: Shop): Promise<string> => shop.order('7')
  const [finding] = (await exploreOrder(file, order)).findings
  writeFileSync(`${file}.replay`, JSON.stringify(finding?.replay))
  vi.stubEnv('CHAOS_REPLAY', `${file}.replay`)
  expect((await exploreOrder(file, order)).findings).toEqual([
    expect.objectContaining({ hits: finding?.hits, reason: finding?.reason }),
  ])
})

it('says so before it searches if the table cannot be written', async () => {
  const file = tableFile()
  vi.stubEnv('CHAOS_UPDATE', '1')
  mkdirSync(file)
  for (const [place, why] of [
    [file, 'it is no regular file'],
    [join(file, 'nowhere', 'table.json'), 'ENOENT'],
  ] as const) {
    let runs = 0
    const order = (): Promise<void> => Promise.resolve(void (runs += 1))
    await expect(exploreOrder(place, order)).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
      message: expect.stringContaining(`cannot be written: ${why}`) as unknown,
    })
    expect(runs).toBe(0)
  }
  expect(existsSync(`${file}.new`)).toBe(false)
})

it('refuses a file that is no table', async () => {
  const file = tableFile()
  writeFileSync(file, '[]')
  await expect(exploreOrder(file, () => Promise.resolve())).rejects.toMatchObject({ code: 'CHAOS_INVALID_OPTION' })
})

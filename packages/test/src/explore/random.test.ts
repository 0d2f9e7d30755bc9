import assert from 'node:assert/strict'
import { failAfterCall, refuseCalls } from '@chaos/adapter'
import { describe, expect, it } from 'vitest'
import { exploreAtRandom } from './explore.js'

class Ledger {
  readonly rows: string[] = []
  async add(row: string): Promise<void> {
    await Promise.resolve(this.rows.push(row))
  }
  async close(): Promise<void> {
    await Promise.resolve(this.rows.push('closed'))
  }
}

/** Adds rows, again and again until each is in, then closes. It breaks if the fourth row came twice and closing failed. */
async function fillLedger(ledger: Ledger): Promise<void> {
  for (let row = 1; row <= 6; row += 1)
    for (let tries = 0; tries < 5; tries += 1)
      if (
        await ledger.add(`row ${row}`).then(
          () => true,
          () => false,
        )
      )
        break
  const isClosed = await ledger.close().then(
    () => true,
    () => false,
  )
  const times = ledger.rows.filter((row) => row === 'row 4').length
  assert.ok(times < 2 || isClosed, `row 4 is there ${times} times, and the ledger is open`)
}

describe('runs at random', () => {
  it('become the smallest set of hits that breaks the test', async () => {
    const ledger = new Ledger()
    const { line, findings, result } = await exploreAtRandom(
      {
        name: 'rows',
        targets: { ledger },
        faults: { ledger: [refuseCalls, failAfterCall] },
        reset: () => void ledger.rows.splice(0),
        rate: 0.3,
        runs: 60,
        onFinding: 'return',
      },
      () => fillLedger(ledger),
    )
    expect(line).toMatch(/^60 random runs at rate 0\.3: \d+ broke; shrunk to \d+ findings/)
    expect(findings.length).toBeGreaterThan(0)
    expect(result.notRepeated).toEqual([])
    for (const { hits, twins } of findings)
      for (const set of [hits, ...twins])
        expect(set).toContainEqual(
          expect.objectContaining({ point: { scope: 'rows', target: 'ledger', operation: 'close', call: 1 } }),
        )
    const smallest = Math.min(...findings.map(({ hits }) => hits.length))
    expect(smallest).toBe(2)
  })
})

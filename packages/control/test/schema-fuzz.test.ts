import { EventEmitter } from 'node:events'
import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { createChaos, target } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { fuzzedOperations, sendFuzzed } from './fuzzed-requests.js'
import { ask, dropEvents, mounted } from './support.js'

/** Requests for each operation: 30 in the ordinary tests; the soak sends more. */
const COUNT = Number(process.env['CHAOS_FUZZ_COUNT'] ?? 30)
/** Makes the same requests each time. */
const SEED = 20

/** Values with which a request can succeed. A field without any is left out. */
const LIKELY = {
  target: ['bus'],
  fault: ['drop-events', 'test/drop-events'],
  options: [{}, { echo: true }],
  leaseMs: [1_000, 60_000],
  id: ['live'],
  scope: [],
  connection: [],
  process: ['true', 'false'],
}

async function scene() {
  const bus = new EventEmitter()
  const chaos = createChaos({ environment: 'test', seed: 1, targets: { bus: target(bus, [dropEvents]) } })
  onTestFinished(() => chaos.close())
  // The clock stands still, so that no lease ends and no rate is used up.
  const { url } = await mounted(chaos.controller, { clock: manualClock(), maxRequestsPerSecond: 1_000_000 })
  const operations = fuzzedOperations((await ask(`${url}/openapi.json`)).json(), LIKELY)
  const keepLive = async (): Promise<void> => {
    if (!(await chaos.injections()).some(({ id, status }) => id === 'live' && status === 'active'))
      await chaos.inject('bus', 'drop-events', {}, { id: 'live' })
  }
  return { bus, chaos, url, operations, keepLive }
}

it('answers whatever the document describes as the document says, for every operation', async () => {
  const { chaos, url, operations, keepLive } = await scene()
  expect(operations.length).toBeGreaterThan(10)
  const seen: Record<string, { done: number; refused: number }> = {}
  for (const { id, requests, accepts, wrong } of operations) {
    const counts = (seen[id] = { done: 0, refused: 0 })
    for (const request of fc.sample(requests, { numRuns: COUNT, seed: SEED })) {
      await keepLive()
      const answer = await sendFuzzed(url, request)
      const shown = `${request.method} ${request.path} ${JSON.stringify(request.body)}: ${answer.status} ${answer.text}`
      expect(wrong(answer), shown).toBe(undefined)
      if (!accepts(request.body)) expect(answer.status, shown).toBeGreaterThanOrEqual(400)
      counts[answer.status < 400 ? 'done' : 'refused'] += 1
    }
  }
  await chaos.controller.stopAll()
  // A test of nothing but refusals, or of none, would say little.
  const never = (what: 'done' | 'refused') => Object.keys(seen).filter((id) => seen[id]?.[what] === 0)
  expect(never('done')).toEqual(['followEvents'])
  expect(never('refused')).toEqual(['getInfo', 'listTargets', 'listFaults', 'listInjections', 'getAudit', 'getOpenApi'])
})

it('does nothing of it without a token', async () => {
  const { bus, chaos, url, operations } = await scene()
  for (const { requests, wrong } of operations)
    for (const request of fc.sample(requests, { numRuns: 5, seed: SEED })) {
      const answer = await sendFuzzed(url, request, { authorization: 'Bearer of-something-else-entirely' })
      expect([answer.status, wrong(answer)]).toEqual([401, undefined])
    }
  expect(await chaos.injections()).toEqual([])
  expect(Object.getPrototypeOf(bus)).toBe(EventEmitter.prototype)
})

import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { manualClock } from '@chaos/core/testing'
import { ask, mounted, testChaos, TOKEN } from '../../test/support.js'
import { connect } from '../client/connect.js'
import { auditLog, type AuditEntry } from './audit-log.js'

const drop = { target: 'bus', fault: 'drop-events' }

async function scene() {
  const clock = manualClock(1_000_000)
  const { chaos, controller } = testChaos({ clock })
  const heard: AuditEntry[] = []
  const { url } = await mounted(controller, { clock, onAudit: (entry) => void heard.push(entry) })
  const client = await connect({ url, token: TOKEN }, { actor: 'Günter & 100%' })
  onTestFinished(() => client.close())
  return { clock, chaos, url, client, heard }
}

describe('the audit log', () => {
  it('has every change: who, when, what and with which outcome', async () => {
    const { clock, client, heard } = await scene()
    await client.inject('bus', 'drop-events', { echo: true }, { id: 'one', leaseMs: 5_000 })
    await clock.advance(100)
    await client.renew('one', 9_000)
    await client.injectAll([drop])
    await client.stop('one')
    await client.stopAll()
    const who = {
      by: 'the token',
      actor: 'Günter & 100%',
      peer: expect.stringMatching(/^127\.0\.0\.1 port \d+$/) as string,
    }
    expect(await client.audit()).toEqual([
      {
        at: 1_000_000,
        operation: 'inject',
        ...who,
        request: { target: 'bus', fault: 'drop-events', options: { echo: true }, leaseMs: 5_000, id: 'one' },
        ids: ['one'],
        status: 201,
        outcome: 'active',
      },
      {
        at: 1_000_100,
        operation: 'renew',
        ...who,
        request: { leaseMs: 9_000 },
        ids: ['one'],
        status: 200,
        outcome: 'active',
      },
      {
        at: 1_000_100,
        operation: 'injectAll',
        ...who,
        request: { injections: [drop] },
        ids: ['test/drop-events@bus#1'],
        status: 201,
      },
      { at: 1_000_100, operation: 'stop', ...who, ids: ['one'], status: 200, outcome: 'stopped' },
      { at: 1_000_100, operation: 'stopAll', ...who, ids: ['test/drop-events@bus#1'], status: 200 },
    ])
    expect(heard).toEqual(await client.audit())
  })

  it('has every change that was refused, and no reads or checks', async () => {
    const { client, url } = await scene()
    await client.targets()
    await client.check('bus', 'drop-events')
    await ask(`${url}/injections`, { method: 'POST', body: { ...drop, rate: 2 } })
    await ask(`${url}/injections`, { method: 'POST', body: 'nonsense' })
    await ask(`${url}/injections/unknown`, { method: 'DELETE' })
    await ask(`${url}/injections`, { method: 'DELETE', headers: { authorization: 'Bearer of-somebody-else' } })
    expect(await client.audit()).toMatchObject([
      { operation: 'inject', by: 'the token', request: { rate: 2 }, status: 400, code: 'CHAOS_INVALID_OPTION' },
      { operation: 'inject', by: 'the token', status: 400, code: 'CHAOS_INVALID_REQUEST' },
      { operation: 'stop', ids: ['unknown'], status: 404, code: 'CHAOS_UNKNOWN_INJECTION' },
      { operation: 'stopAll', status: 401, code: 'CHAOS_UNAUTHORIZED' },
    ])
    expect((await client.audit()).at(-1)).not.toHaveProperty('by')
  })

  it('says when nothing changed because the answer was given again', async () => {
    const { client, url } = await scene()
    for (let n = 0; n < 2; n += 1)
      await ask(`${url}/injections`, { method: 'POST', body: drop, headers: { 'idempotency-key': 'one' } })
    const [first, again] = await client.audit()
    expect(first).not.toHaveProperty('isRepeated')
    expect(again).toMatchObject({ ids: first?.ids, isRepeated: true, status: 201 })
  })

  it('keeps 1,000 entries, which senders without proof cannot push out', () => {
    const clock = manualClock()
    const log = auditLog(clock)
    for (let n = 0; n < 1_001; n += 1) log.record({ operation: `${n}`, by: 'the token', status: 200 })
    for (let n = 0; n < 5_000; n += 1) log.record({ operation: 'stopAll', status: 401 })
    expect(log.entries()).toHaveLength(1_010)
    expect(log.entries()[0]).toMatchObject({ operation: '1' })
  })

  it('lists ten senders without proof per second, and counts the others', async () => {
    const clock = manualClock()
    const log = auditLog(clock)
    for (let n = 0; n < 15; n += 1) log.record({ operation: 'stopAll', status: 401 })
    await clock.advance(1_000)
    log.record({ operation: 'stopAll', status: 401 })
    log.record({ operation: 'stopAll', status: 401 })
    expect(log.entries().map(({ unlisted }) => unlisted)).toEqual([...Array<undefined>(10), 5, undefined])
  })

  it('bounds what a sender says', () => {
    const log = auditLog(manualClock())
    const long = `\u001b[2J${'x'.repeat(100_000)}`
    log.record({
      operation: 'inject',
      by: long,
      actor: long,
      ids: Array.from({ length: 1_000 }, () => long),
      request: { target: long },
      status: 400,
    })
    const text = JSON.stringify(log.entries())
    expect(text.length).toBeLessThan(60_000)
    expect(text).not.toContain('\\u001b[2J"')
    expect(log.entries()[0]).toMatchObject({ request: { characters: expect.any(Number) as number } })
  })

  it('goes on when its listener throws, whose error is not swallowed', () => {
    const later = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => undefined)
    onTestFinished(() => later.mockRestore())
    const log = auditLog(manualClock(), () => {
      throw new Error('a bug of the app')
    })
    log.record({ operation: 'stopAll', by: 'the token', status: 200 })
    expect(log.entries()).toHaveLength(1)
    expect(later.mock.calls[0]?.[0]).toThrow('a bug of the app')
  })
})

import { describe, expect, it } from 'vitest'
import { boundedEvidence } from './evidence.js'

describe('evidence', () => {
  it('is kept as it is if it is small', () => {
    const evidence = { threadId: 1, exitCode: undefined, stages: [{ at: 1 }], error: 'oops' }
    expect(boundedEvidence(evidence)).toEqual(evidence)
    expect(Object.isFrozen(boundedEvidence(evidence))).toBe(true)
  })

  it('is kept without credentials', () => {
    expect(boundedEvidence({ url: 'redis://u:hunter2@db', token: 'hunter2', deep: { secret: ['hunter2'] } })).toEqual({
      url: 'redis://u:[redacted]@db',
      token: '[redacted]',
      deep: { secret: ['[redacted]'] },
    })
  })

  it('is cut if it is long, deep or circular', () => {
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    const kept = boundedEvidence({
      error: 'x'.repeat(1_000_000),
      list: Array.from({ length: 10_000 }, () => 0),
      circle,
      failure: new Error('y'.repeat(10_000)),
    })
    expect(kept['error']).toBe(`${'x'.repeat(1_000)}…`)
    expect(kept['list']).toHaveLength(100)
    expect(JSON.stringify(kept).length).toBeLessThan(2_000)
  })

  it('shows the readable parts if one part cannot be read', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const throwing = Object.defineProperty({}, 'trap', {
      enumerable: true,
      get: () => Reflect.get(proxy, 'trap') as unknown,
    }) as unknown
    expect(boundedEvidence({ threadId: 1, proxy, throwing })).toEqual({
      threadId: 1,
      proxy: 'an unreadable value',
      throwing: 'an unreadable value',
    })
  })
})

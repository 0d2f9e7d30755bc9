import { ChaosError } from '@chaos/core'
import { describe, expect, it } from 'vitest'
import type { AuditEntry } from '../audit/audit-log.js'
import { defineTool, type Session } from '../tools/tool.js'
import { objectOf } from '../tools/schemas.js'
import { answerCalls } from './answer-calls.js'

type Written = Omit<AuditEntry, 'at' | 'pid'>
const never = new AbortController().signal

/** A server whose only real part is its audit log: a list, or one that is full. */
function server({ isFull = false } = {}) {
  const written: Written[] = []
  const audit = {
    write(entry: Written) {
      if (isFull) throw new ChaosError('CHAOS_AUDIT_NOT_WRITTEN', 'The audit log cannot be written: the disk is full.')
      written.push(entry)
    },
    read: () => [],
  }
  return { written, answer: answerCalls({ audit } as unknown as Session, () => 'a client') }
}

/** A tool that breaks something once it has said so. */
function breaking() {
  const seen = { broken: 0 }
  const tool = defineTool({
    name: 'break',
    title: 'Break',
    description: 'Breaks.',
    effect: 'break',
    input: {},
    output: objectOf({}),
    run: (_args, _session, { begin }) =>
      Promise.resolve().then(() => {
        begin({ target: 'bus' })
        seen.broken += 1
        return { summary: 'Broken.', data: {} }
      }),
  })
  return { seen, tool }
}

/** A tool that ends when it is told to. */
function waiting(effect: 'read' | 'stop') {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  const tool = defineTool({
    name: 'wait',
    title: 'Wait',
    description: 'Waits.',
    effect,
    input: {},
    output: objectOf({}),
    run: () => released.then(() => ({ summary: 'Done.', data: {} })),
  })
  return { tool, release: () => release() }
}

describe('a call', () => {
  it('breaks nothing that cannot be written into the audit log', async () => {
    const { tool, seen } = breaking()
    const { answer } = server({ isFull: true })
    expect(await answer(tool, {}, never)).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('CHAOS_AUDIT_NOT_WRITTEN') as string }],
    })
    expect(seen.broken).toBe(0)
    const { answer: other, written } = server()
    expect(await other(tool, {}, never)).toMatchObject({ structuredContent: {} })
    expect(seen.broken).toBe(1)
    expect(written.map(({ outcome }) => outcome)).toEqual(['begun', 'done'])
  })

  it('leaves credentials out of the audit log', async () => {
    const { tool } = breaking()
    const { answer, written } = server()
    const headers = { authorization: 'Bearer abcdefgh12345678', accept: 'json' }
    await answer(tool, { options: { password: 'hunter2', headers, url: 'redis://user:pass@host' } }, never)
    expect(JSON.stringify(written)).not.toMatch(/hunter2|abcdefgh|pass@/)
    expect(written).toHaveLength(1)
    expect(written[0]?.arguments).toMatchObject({ options: { password: '[redacted]', headers: { accept: 'json' } } })
  })

  it('that stops something does so though the audit log is full, and says that it is', async () => {
    const { tool, release } = waiting('stop')
    release()
    const { content } = await server({ isFull: true }).answer(tool, {}, never)
    expect(content[0]?.text).toContain('Done.\nThe audit log cannot be written')
  })

  it('is refused while 16 others run, unless it stops something', async () => {
    const { answer, written } = server()
    const slow = waiting('read')
    const running = Array.from({ length: 16 }, () => answer(slow.tool, {}, never))
    expect(await answer(slow.tool, {}, never)).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('CHAOS_TOO_MANY_REQUESTS') as string }],
    })
    const stop = waiting('stop')
    stop.release()
    expect(await answer(stop.tool, {}, never)).not.toHaveProperty('isError')
    slow.release()
    await Promise.all(running)
    expect(written.filter(({ outcome }) => outcome === 'done')).toHaveLength(17)
  })
})

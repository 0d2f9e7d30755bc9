import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { auditLog } from './audit-log.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chaos-audit-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

describe('the audit log', () => {
  it('is one JSON document per line, with mode 0600, and is read from the end', () => {
    let now = 0
    const log = auditLog(() => (now += 1_000), folder)
    for (let call = 1; call <= 3; call += 1)
      log.write({ by: 'model', action: 'inject', call, outcome: 'done', message: 'two\nlines\u001b[2J' })
    const path = join(folder, 'mcp-audit.jsonl')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    expect(lines).toHaveLength(3)
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      at: '1970-01-01T00:00:01.000Z',
      pid: process.pid,
      by: 'model',
      action: 'inject',
      call: 1,
      outcome: 'done',
      message: 'two\\u000alines\\u001b[2J',
    })
    expect(log.read(2).map(({ call }) => call)).toEqual([2, 3])
  })

  it('keeps one earlier log beside a new one once it is full, and cuts what is too long', () => {
    const log = auditLog(() => 0, folder)
    const detail = Array.from({ length: 50 }, () => 'ü'.repeat(900))
    const message = 'x'.repeat(900)
    for (let call = 1; call <= 1_200; call += 1)
      log.write({ by: 'model', action: 'inject', call, outcome: 'done', message })
    log.write({ by: 'model', action: 'long', outcome: 'done', detail, arguments: detail })
    for (const name of ['mcp-audit.jsonl', 'mcp-audit.jsonl.1'])
      expect(statSync(join(folder, name)).size).toBeLessThan(1_048_576 + 8_192)
    const last = log.read(2)
    expect(last.map(({ action, call }) => [action, call])).toEqual([
      ['inject', 1_200],
      ['long', undefined],
    ])
    expect(last[1]).toMatchObject({ arguments: '… (too long)' })
    expect(last[1]).not.toHaveProperty('detail')
  })

  it('says why it cannot be written, rather than losing an entry', () => {
    chmodSync(folder, 0o755)
    expect(() => auditLog(() => 0, folder).write({ by: 'person', action: 'open', outcome: 'done' })).toThrow(
      /The audit log cannot be written: .*mode is 755/,
    )
  })
})

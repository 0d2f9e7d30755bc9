import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { privateFolder, testChaos } from '../../test/support.js'
import { connect, openSocket } from '../index.js'
import { auditFileWriter, auditTo } from './audit-file.js'

const entry = { at: 1, operation: 'stopAll', by: 'the token', status: 200 }
const linesOf = (path: string): readonly unknown[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)

describe('the file of the audit log', () => {
  it('gets each change as a line, readable by its owner only', async () => {
    const folder = privateFolder()
    const path = join(folder, 'audit.jsonl')
    vi.stubEnv('CHAOS_AUDIT_FILE', path)
    onTestFinished(() => void vi.unstubAllEnvs())
    const endpoint = await openSocket(testChaos().controller, { directory: join(folder, 's') })
    onTestFinished(() => endpoint.close())
    const client = await connect({ socketPath: endpoint.path })
    await client.inject('bus', 'drop-events', {}, { id: 'one' })
    await client.stopAll()
    await client.close()
    expect(linesOf(path)).toMatchObject([
      { operation: 'inject', by: 'the same user', ids: ['one'] },
      { operation: 'stopAll', ids: ['one'] },
    ])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('shows what a terminal would obey, and stays the same JSON', () => {
    const path = join(privateFolder(), 'audit.jsonl')
    const hostile = { ...entry, request: { target: 'a\n\u001b[2J\u009b2J\u202eb' } }
    auditFileWriter(path)(hostile)
    expect(readFileSync(path, 'utf8')).toMatch(/^[ -~]+\n$/)
    expect(linesOf(path)).toEqual([hostile])
  })

  it('takes the rights of others away from a file that is there', () => {
    const path = join(privateFolder(), 'audit.jsonl')
    writeFileSync(path, '')
    chmodSync(path, 0o644)
    auditFileWriter(path)(entry)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('is begun anew when it is full, and the one before is kept', () => {
    const path = join(privateFolder(), 'audit.jsonl')
    const write = auditFileWriter(path, 200)
    for (let at = 0; at < 9; at += 1) write({ ...entry, at })
    const kept = [...linesOf(`${path}.1`), ...linesOf(path)] as readonly { readonly at: number }[]
    expect(kept.at(-1)?.at).toBe(8)
    expect(kept.map(({ at }) => at)).toEqual([...kept.map(({ at }) => at)].sort())
    expect(statSync(path).size).toBeLessThanOrEqual(200)
    expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(200)
  })

  it.each(['a folder', 'a link'])('is not written if its path is %s, which is reported once', (what) => {
    const folder = privateFolder()
    const path = join(folder, 'audit.jsonl')
    const victim = join(folder, 'victim')
    writeFileSync(victim, 'untouched')
    if (what === 'a folder') mkdirSync(path)
    else symlinkSync(victim, path)
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    onTestFinished(() => warned.mockRestore())
    const write = auditFileWriter(path)
    write(entry)
    write(entry)
    expect(warned.mock.calls).toEqual([[expect.stringContaining('cannot be written') as string, 'ChaosWarning']])
    expect(readFileSync(victim, 'utf8')).toBe('untouched')
    expect(existsSync(`${path}.1`)).toBe(false)
  })

  it('is only there if it is asked for, and its options are checked', () => {
    expect(auditTo({})).toBe(undefined)
    expect(() => auditTo({ auditFile: 'x'.repeat(5_000) })).toThrow('at most 4096 characters')
    expect(() => auditTo({ onAudit: 'x' as never })).toThrow('a function')
  })
})

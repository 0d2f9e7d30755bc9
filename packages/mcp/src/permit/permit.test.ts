import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LocalProcess } from '@chaos/control'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { arming } from './arming.js'
import { MAX_PERMIT_MS, type Permit } from './permit.js'
import { readPermits, removePermits, writePermit } from './permit-store.js'

const NOW = 1_700_000_000_000
const shop: LocalProcess = { pid: 4711, name: 'shop', socketPath: '/s', startedAt: 5, targets: [] }
const permit = (more: Partial<Permit> = {}): Permit => ({
  version: 1,
  openedAt: NOW,
  expiresAt: NOW + 60_000,
  processes: [{ pid: 4711, name: 'shop', startedAt: 5 }],
  ...more,
})

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chaos-permit-'))
  path = join(folder, 'mcp-permit.json')
  onTestFinished(() => rmSync(folder, { recursive: true }))
  vi.stubEnv('CHAOS_SOCKET_DIR', folder)
})

/** Whether faults may be injected into the shop. */
const isOpen = (now = NOW, env: NodeJS.ProcessEnv = {}): boolean => arming(env, () => now).stateOf(shop).isOpen

describe('a permit', () => {
  it('is in force from when it is written until it expires or is removed', () => {
    expect(isOpen()).toBe(false)
    writePermit(permit())
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect([isOpen(), isOpen(NOW + 59_999), isOpen(NOW + 60_000)]).toEqual([true, true, false])
    expect([removePermits(undefined, NOW), removePermits(undefined, NOW)]).toEqual([true, false])
    expect(isOpen()).toBe(false)
  })

  it('is for the processes that it names: by id and start, or by name', () => {
    writePermit(permit({ processes: [{ pid: 4711, name: 'shop', startedAt: 6 }] }))
    expect(isOpen()).toBe(false)
    writePermit(permit({ processes: [{ name: 'store' }] }))
    expect(isOpen()).toBe(false)
    writePermit(permit({ processes: [{ name: 'shop' }] }))
    expect(isOpen()).toBe(true)
  })

  it('must outlast the lease', () => {
    writePermit(permit())
    const { assertOpen } = arming({}, () => NOW + 50_000)
    expect(() => assertOpen(shop, 10_000)).not.toThrow()
    expect(() => assertOpen(shop, 10_001)).toThrow('The permit ends in 10 s, before a lease of 11 s would.')
  })

  it('does not matter where chaos is switched off', () => {
    writePermit(permit())
    expect(isOpen(NOW, { CHAOS_DISABLED: '1' })).toBe(false)
    expect(isOpen(NOW, { NODE_ENV: 'production' })).toBe(false)
    expect(isOpen(NOW, { NODE_ENV: 'development' })).toBe(true)
  })

  it.each([
    ['is for longer than a permit may be', JSON.stringify(permit({ expiresAt: NOW + MAX_PERMIT_MS + 1 }))],
    ['has no end', JSON.stringify({ ...permit(), expiresAt: null })],
    ['is of another version', JSON.stringify({ ...permit(), version: 2 })],
    ['has more fields', JSON.stringify({ ...permit(), all: true })],
    ['names a process by nothing', JSON.stringify({ ...permit(), processes: [{}] })],
    ['is cut', JSON.stringify(permit()).slice(0, -5)],
    ['is too large', ' '.repeat(300_000) + JSON.stringify(permit())],
  ])('is not in force when the file %s', (_what, text) => {
    writeFileSync(path, text, { mode: 0o600 })
    expect(isOpen()).toBe(false)
    expect(readPermits(NOW).problems).toEqual([expect.stringContaining('is no permit')])
  })

  it('is not in force when it is from the future, which a clock that was set back would prolong', () => {
    writePermit(permit({ openedAt: NOW + 10_000, expiresAt: NOW + 20_000 }))
    expect(isOpen()).toBe(false)
  })

  it('is not in force when another user can access or owns it, or it is a symbolic link', () => {
    writePermit(permit())
    chmodSync(path, 0o640)
    expect(isOpen()).toBe(false)
    expect(readPermits(NOW).problems).toEqual([expect.stringContaining('its mode is 640')])
    chmodSync(path, 0o600)
    expect(isOpen()).toBe(true)
    const own = process.getuid?.() ?? 0
    // The folder is then of another user too: nothing in it is believed.
    const owner = vi.spyOn(process, 'getuid').mockReturnValue(own + 1)
    expect(() => isOpen()).toThrow('belongs to user')
    owner.mockRestore()
    const elsewhere = join(folder, 'elsewhere.json')
    writeFileSync(elsewhere, JSON.stringify(permit()), { mode: 0o600 })
    rmSync(path)
    symlinkSync(elsewhere, path)
    expect(isOpen()).toBe(false)
  })
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { readPublicKeyFile, writeKeyFiles } from '../src/controller/index.js'
import { testProgram } from './program.js'

describe.skipIf(process.platform === 'win32')('a fleet on one host, without Redis', () => {
  const start = testProgram(new URL('host-process.ts', import.meta.url))

  /** Two applications with a fault in force, and who runs it. */
  async function broken() {
    const folder = mkdtempSync(join(tmpdir(), 'chaos-host-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const [path, key] = [join(folder, 'run', 'relay.sock'), join(folder, 'ops.pem')]
    writeKeyFiles(key)
    const { publicKey } = readPublicKeyFile(`${key}.pub`)
    const as = (role: string) => start([role, path, key, publicKey])
    const relay = as('relay')
    await relay.prints('listens')
    const apps = [as('app'), as('app')] as const
    const controller = as('controller')
    await Promise.all([controller, ...apps].map((one) => one.prints(one === controller ? 'in force' : 'broken')))
    return { as, relay, apps, controller }
  }
  const count = (lines: readonly string[], line: string): number => lines.filter((one) => one === line).length

  it('is whole within the lease when the relay is killed, and stays so when another takes its place', async () => {
    const { as, relay, apps, controller } = await broken()
    relay.child.kill('SIGKILL')
    for (const app of apps) await app.prints(/has ended \(deadline\)/)
    await controller.prints('over: lost')
    const again = as('relay')
    await again.prints('listens')
    for (const app of apps) {
      await app.prints('The engine of the fleet answers again.')
      await app.prints('whole')
      const told = app.lines()
      expect([count(told, 'broken'), count(told, 'whole')]).toEqual([1, 1])
      expect(told.filter((line) => line.includes('does not answer'))).toHaveLength(1)
    }
    // The next run finds them.
    const next = as('controller')
    await next.prints('in force')
    for (const app of apps) await vi.waitFor(() => expect(count(app.lines(), 'broken')).toBe(2))
  })

  it('is whole within the lease when the controller is killed, and open to the next one', async () => {
    const { as, apps, controller } = await broken()
    controller.child.kill('SIGKILL')
    for (const app of apps) {
      await app.prints('whole')
      await app.prints(/has ended \((deadline|run-gone)\)/)
    }
    const next = as('controller')
    await next.prints('in force')
    for (const app of apps) await vi.waitFor(() => expect(count(app.lines(), 'broken')).toBe(2))
  })

  it('is halted by anyone of its user', async () => {
    const { as, apps, controller } = await broken()
    const halter = as('halter')
    await halter.prints('halted')
    for (const app of apps) await app.prints(/has ended \(halted\)/)
    await controller.prints('over: halted')
    expect(await halter.ended).toEqual([0, null])
  })
})

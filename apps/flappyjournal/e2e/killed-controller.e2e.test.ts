import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { registeredControllers } from '@chaos/core/authoring'
import { shapeDifference, shapeOf } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { startApp } from '../src/app.js'
import { wireChaos } from '../src/chaos.js'
import { appFolder, configFrom } from '../src/config.js'
import { ConsciousnessEventBus } from '../src/event-bus.js'
import { folder, loadOn, SECRET } from './helpers.js'

describe('a controller that is killed', () => {
  it('leaves the app untouched, with no need to wait for the lease', async () => {
    const work = await folder()
    const sockets = join(work, 's')
    vi.stubEnv('CHAOS', 'on')
    vi.stubEnv('CHAOS_SOCKET_DIR', sockets)
    vi.stubEnv('CHAOS_TOKEN', 'a-token-of-more-than-sixteen-characters')
    const bus = new ConsciousnessEventBus()
    const { emit } = bus
    const before = [shapeOf(bus), shapeOf(ConsciousnessEventBus.prototype)]
    const app = await startApp(
      configFrom({ JWT_SECRET: SECRET, PORT: '0', NODE_ENV: 'development', FLAPPY_WINDOWS: 'demo' }),
      wireChaos,
      { bus },
    )
    onTestFinished(() => app.close())
    const load = await loadOn(app)
    const [controller] = registeredControllers()
    if (controller === undefined) throw new Error('Expected the app to have a controller.')

    // The experiment gives its fault a lease of 15 s; the command that runs it is killed as soon as the fault has landed, and its connection ends.
    const landed = new Promise<void>((resolve) => {
      const stop = controller.follow(({ type }) => {
        if (type !== 'landed') return
        stop()
        resolve()
      })
    })
    const ended = new Promise<{ outcome: string | undefined; tookMs: number; leaseMs: number }>((resolve) => {
      const stop = controller.follow((entry) => {
        if (entry.type !== 'ended') return
        stop()
        resolve({
          outcome: entry.injection.outcome,
          tookMs: (entry.injection.endedAt ?? 0) - entry.injection.armedAt,
          leaseMs: entry.injection.leaseMs,
        })
      })
    })
    const bin = join(createRequire(import.meta.url).resolve('@chaos/cli/package.json'), '..', 'dist', 'bin.js')
    const variables = { APP_URL: app.url, ALERTS_URL: app.alertsUrl, LOAD_URL: load.url }
    const flags = Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}=${value}`])
    const args = [bin, 'run', join(appFolder, 'experiments', 'eventbus.yaml'), '--alerts-url', app.alertsUrl, ...flags]
    const run = (): ChildProcess => {
      const started = spawn(process.execPath, args, {
        stdio: 'ignore',
        env: { ...process.env, CHAOS_SOCKET_DIR: sockets },
      })
      onTestFinished(() => void started.kill('SIGKILL'))
      return started
    }
    // On a busy machine the app may have no steady state in time, and the command ends before anything is broken: then another one runs.
    let command = run()
    while (!(await Promise.race([landed.then(() => true), once(command, 'exit').then(() => false)]))) command = run()
    expect(shapeDifference(before[1] ?? [], shapeOf(ConsciousnessEventBus.prototype))).toBeDefined()
    const exited = once(command, 'exit')
    command.kill('SIGKILL')
    await exited
    const { outcome, tookMs, leaseMs } = await ended
    expect([outcome, leaseMs]).toEqual(['stopped', 15_000])
    expect(tookMs).toBeLessThan(leaseMs)
    expect(bus.emit).toBe(emit)
    expect(shapeDifference(before[1] ?? [], shapeOf(ConsciousnessEventBus.prototype))).toBeUndefined()
    expect((await load.look()).lost).toBe(0)
  })
})

import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hasPrograms } from '@chaos/test-servers'
import { describe, expect, it, vi } from 'vitest'
import { main } from '../src/bin/main.js'
import { folderForTest, guardedFleet, listed, ran, ranBuilt } from './command.js'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))

/** Installs this package as it is published, with core and YAML and without its optional peers. */
function bareInstallation(): string {
  const modules = join(folderForTest(), 'node_modules')
  mkdirSync(join(modules, '@chaos', 'fleet'), { recursive: true })
  cpSync(join(packageFolder, 'dist'), join(modules, '@chaos', 'fleet', 'dist'), { recursive: true })
  cpSync(join(packageFolder, 'package.json'), join(modules, '@chaos', 'fleet', 'package.json'))
  symlinkSync(join(packageFolder, 'node_modules', '@chaos', 'core'), join(modules, '@chaos', 'core'))
  symlinkSync(join(packageFolder, 'node_modules', 'yaml'), join(modules, 'yaml'))
  return join(modules, '@chaos', 'fleet', 'dist', 'bin.js')
}

describe('the published command', () => {
  it('is the program that package.json names, and no part of what applications load', () => {
    const { bin } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
      bin: Record<string, string>
    }
    expect(Object.keys(bin)).toEqual(['chaos-fleet'])
    const program = readFileSync(join(packageFolder, bin['chaos-fleet'] ?? ''), 'utf8')
    expect(program.startsWith('#!/usr/bin/env node\n')).toBe(true)
    for (const entry of ['index.js', 'index.cjs']) {
      const code = readFileSync(join(packageFolder, 'dist', entry), 'utf8')
      expect(code).not.toMatch(/parseArgs|@chaos\/experiment|\bbin\.js/)
    }
  })

  it('makes files and renders without its optional peers, and says how to install them where they are needed', async () => {
    const bin = bareInstallation()
    const folder = folderForTest()
    expect(await ranBuilt(['key', '--out', folder], {}, bin)).toMatchObject({ code: 0 })
    const steps = join(folder, 'steps.yaml')
    writeFileSync(steps, 'pods: [shop/cart-0]\nmaxDurationMs: 60000\nfault: { action: pod-failure }\n')
    expect(await ranBuilt(['render', steps], {}, bin)).toMatchObject({
      code: 0,
      out: expect.stringContaining('- cart-0') as string,
    })
    const env = {
      CHAOS_FLEET_URL: 'redis://127.0.0.1:1?fleet=shop&environment=staging',
      CHAOS_FLEET_KEY: join(folder, 'ops'),
    }
    for (const verb of ['plan', 'run'])
      expect(await ranBuilt([verb, 'experiment.yaml'], env, bin)).toMatchObject({
        code: 2,
        out: '',
        err: expect.stringContaining('npm install @chaos/experiment') as string,
      })
    for (const argv of [['halt'], ['plan', 'db', 'delay']])
      expect(await ranBuilt(argv, env, bin)).toMatchObject({
        code: 3,
        err: expect.stringContaining('npm install ioredis') as string,
      })
  })
})

describe('rendering', () => {
  const render = (text: string, ...argv: readonly string[]) => {
    const path = join(folderForTest(), 'steps.yaml')
    writeFileSync(path, text)
    return ran(['render', path, ...argv])
  }
  const step = 'pods: [shop/cart-0]\nmaxDurationMs: 60000\n'

  it('names the steps of a list apart, and says that nothing was applied', async () => {
    const list = '- { pods: [a/x], maxDurationMs: 1000, fault: { action: pod-failure } }\n'
    const { code, out } = await render(list + list, '--run-id', 'r', '--json')
    expect(code).toBe(0)
    const { manifests, ...rest } = JSON.parse(out) as { manifests: { metadata: { name: string } }[] }
    expect(rest).toMatchObject({ isApplied: false, runId: 'r', otherSteps: 0 })
    expect(new Set(manifests.map(({ metadata }) => metadata.name)).size).toBe(2)
  })

  it.each([
    ['', /Step 1 is no step/],
    ['[]', /1 to 1000 steps/],
    ['a: &a [1]\nb: [*a, *', /cannot be read as YAML/],
    [`${step}fault: { action: explode }`, /explode/],
    [`${step}fault: { action: pod-kill }`, /irreversible/],
    [`${step}frob: 1\nfault: { action: pod-failure }`, /frob/],
    [`${step}runId: of-another-run\nfault: { action: pod-failure }`, /`runId`.*--run-id/],
    [
      `method:\n${'- inject: { target: [a/x], fault: chaos-mesh/pod-failure }\n'.repeat(1_001)}`,
      /1 to 1000 steps, got 1001/,
    ],
    ['pods: all\nmaxDurationMs: 1000\nfault: { action: pod-failure }', /CHAOS_FLEET_URL/],
    [`- { name: a, ${step.replaceAll('\n', ', ')} fault: { action: pod-failure } }\n`.repeat(2), /name.*of its own/],
    ['method:\n- inject: { target: db, fault: adapter/delay-calls }', /nothing to render/],
    ['method:\n- inject: { target: "pods[service=a]", fault: chaos-mesh/pod-failure, rate: 0.5 }', /`rate`/],
  ])('refuses %j', async (text, why) => {
    const { code, out, err } = await render(text)
    expect(out).toBe('')
    expect(code === 2 || code === 4, err).toBe(true)
    expect(err).toMatch(why)
  })
})

describe.runIf(hasPrograms('redis-server'))(
  'the live table (skipped without `redis-server`: Debian package redis-server)',
  () => {
    it('is drawn again in place, within the size of the terminal', async () => {
      const fleet = await guardedFleet()
      const members = Array.from({ length: 30 }, () => fleet.join())
      await listed(fleet, members.length)
      await fleet.as('operator', 'open', '--for', '1h', '--reason', 'a test')
      const run = fleet.startAs('controller', 'run', 'it', 'silence', '--for', '10m')
      const over = new AbortController()
      const frames: string[] = []
      const watching = main(['watch', '--on', fleet.url('operator')], {
        out: (text) => frames.push(text),
        err: (text) => frames.push(text),
        isTerminal: true,
        size: () => ({ columns: 40, rows: 12 }),
        signal: over.signal,
      })
      await vi.waitFor(() => expect(frames.at(-1)).toContain('applied'), { timeout: 20_000 })
      expect(frames[0]).toBe('\u001b[2J')
      for (const frame of frames.slice(1)) {
        expect(frame.startsWith('\u001b[H')).toBe(true)
        // eslint-disable-next-line no-control-regex -- what a terminal might obey
        const lines = frame.replace(/\u001b\[[HJK]/g, '').split('\n')
        expect(lines.length).toBeLessThanOrEqual(11)
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(40)
      }
      over.abort('SIGINT')
      expect(await watching).toBe(0)
      run.process.kill('SIGTERM')
      expect((await run.ended).code).toBe(130)
    })
  },
)

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@chaos/test-servers'
import { expect, it, onTestFinished, vi } from 'vitest'
import { blocksOf, examplesOf, isRewritten, shapeOf, type Example } from '../../src/page-examples.js'
import { root } from '../../src/repository.js'
import { run } from '../../src/run.js'

const PAGE = 'docs/getting-started.md'
/** What stays in a terminal of its own, by the first word that is no variable. */
const STAYS = /^(?:\w+=\S+ )*(?:node|prometheus) /
/** The address that shows that it is up, by the same. */
const READY: Readonly<Record<string, string>> = { node: ':3000/healthz', prometheus: ':9090/api/v1/query?query=up' }
/** What a Prometheus says that has no targets yet, as in its first five seconds: somebody who types takes longer than that. */
const NOTHING_SCRAPED = '"result":[]'
/** Exit codes of commands that end otherwise than with 0, as the page says. */
const ENDS: Readonly<Record<string, number>> = { 'npx chaos run lost-orders.yaml': 10 }

const isInstalled = (program: string): boolean => spawnSync(program, ['--version']).error === undefined
const runs =
  process.env['CHAOS_REQUIRE_SERVICES'] === 'all' || ['prometheus', 'curl', 'npm'].every((name) => isInstalled(name))

it.runIf(runs)(
  'a built clone, followed by the page alone, ends with its verdicts (skipped without prometheus, curl and npm)',
  { timeout: 180_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'chaos-page-'))
    const running: ChildProcess[] = []
    onTestFinished(async () => {
      for (const child of running) {
        const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
        child.kill('SIGKILL')
        await exited
      }
      rmSync(folder, { recursive: true, force: true })
    })
    // Stands for the clone that the page makes and builds.
    symlinkSync(root, join(folder, 'chaos-harness'))
    const ports: Readonly<Record<string, string>> = { 3000: String(await freePort()), 9090: String(await freePort()) }
    const here = (text: string): string => text.replace(/(?<=[:(])(?:3000|9090)\b/g, (port) => ports[port] ?? port)
    const there = (text: string): string =>
      Object.entries(ports).reduce((result, [shown, port]) => result.replaceAll(`:${port}`, `:${shown}`), text)
    const env = { ...process.env, CHAOS_SOCKET_DIR: join(folder, 'sockets') }
    const cwd = join(folder, 'shop')

    const compare = (example: Example, printed: string): void => {
      if (example.output === undefined || isRewritten(PAGE, example, there(printed))) return
      expect(
        shapeOf(there(printed)),
        `${PAGE}:${example.line}. With PAGES=write set, the page gets the new output.`,
      ).toEqual(shapeOf(example.output))
    }

    const commands = examplesOf(PAGE, 'sh')
    let followed = 0
    for (const { code, file, line } of blocksOf(PAGE)) {
      if (file !== undefined) {
        writeFileSync(join(cwd, file), here(code))
        continue
      }
      const example = commands.find((one) => one.line === line)
      if (example === undefined || code.startsWith('git clone')) continue
      followed += 1
      const command = here(code.trimEnd())
      const where = `${PAGE}:${line}: ${command}`
      if (STAYS.test(command)) {
        // The shell gives its place to the program, so that ending the one ends the other.
        const child = spawn('sh', ['-c', command.replace(/^((?:\w+=\S+ )*)/, '$1exec ')], {
          cwd,
          env,
          stdio: ['ignore', 'pipe', 'pipe'],
        })
        running.push(child)
        let printed = ''
        child.stdout.on('data', (text: Buffer) => (printed += text.toString()))
        child.stderr.on('data', (text: Buffer) => (printed += text.toString()))
        const program = Object.keys(READY).find((name) => command.split(' ').includes(name)) ?? ''
        const address = `http://127.0.0.1${here(READY[program] ?? '')}`
        await vi.waitFor(async () => {
          const answer = await fetch(address).catch(String)
          expect(typeof answer === 'string' ? answer : answer.status, `${where}\n${printed}`).toBe(200)
          if (typeof answer !== 'string') expect(await answer.text()).not.toContain(NOTHING_SCRAPED)
          if (example.output !== undefined) expect(printed, where).not.toBe('')
        })
        compare(example, printed)
        continue
      }
      const isFirst = code.startsWith('mkdir shop')
      const { exitCode, stdout, stderr } = await run('sh', ['-e', '-c', command], { cwd: isFirst ? folder : cwd, env })
      const expected = Object.entries(ENDS).find(([start]) => code.startsWith(start))?.[1] ?? 0
      expect(exitCode, `${where}\n${stdout}${stderr}`).toBe(expected)
      compare(example, stdout)
    }
    expect(followed).toBe(7)
  },
)

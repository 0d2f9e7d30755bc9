import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@chaos/test-servers'
import { expect, onTestFinished, vi } from 'vitest'
import { blocksOf, examplesOf, isRewritten, shapeOf, type Example } from '../../src/page-examples.js'
import { root } from '../../src/repository.js'
import { run } from '../../src/run.js'

const PAGE = 'docs/recipes/redis-freezes.md'
const APP = join(root, 'apps', 'flappyjournal')

/** What stays in a terminal of its own, and what it prints when it is ready. */
const STAYS: readonly (readonly [command: RegExp, ready: RegExp])[] = [
  [/^redis-server /, /Ready to accept connections/],
  [/^npx chaos-proxy /, /listens on .*\n/],
  [/ npm start$/, /"event":"listening"/],
  [/ npm run load$/, /Their report is at/],
]
/** What the page has npm start, without the time that npm takes. */
const PROGRAMS: readonly (readonly [string, string])[] = [
  ['npx chaos-proxy', 'node_modules/.bin/chaos-proxy'],
  ['npx chaos', 'node_modules/.bin/chaos'],
  ['npm start', 'node dist/main.js'],
  ['npm run load', 'node dist/load.js'],
]
/** The run of the experiment, which takes two minutes. */
const LONG = 'npx chaos run '
const PORTS = ['6379', '26379', '8474', '3000', '3001', '3100']

/**
 * Follows the page, and compares what it shows.
 *
 * @param isWhole Whether the experiment is run too
 */
export async function followPage(isWhole: boolean): Promise<void> {
  const sockets = mkdtempSync(join(tmpdir(), 'chaos-redis-'))
  onTestFinished(() => rmSync(sockets, { recursive: true }))
  const ports = new Map<string, string>()
  for (const port of PORTS) ports.set(port, String(await freePort()))
  const here = (text: string): string => text.replace(/\b\d{4,5}\b/g, (port) => ports.get(port) ?? port)
  const there = (text: string): string => [...ports].reduce((one, [shown, port]) => one.replaceAll(port, shown), text)
  const env = { ...process.env, NODE_ENV: '', CHAOS_SOCKET_DIR: sockets, NO_COLOR: '1' }

  const verdict = blocksOf(PAGE).at(-1)
  for (const example of examplesOf(PAGE, 'sh')) {
    const typed = example.code.trimEnd()
    const [, ready] = STAYS.find(([command]) => command.test(typed)) ?? []
    const command = PROGRAMS.reduce((text, [shown, program]) => text.replace(shown, program), here(typed))
    if (ready !== undefined) compare(example, there(await started(command, ready, env)))
    else if (!typed.startsWith(LONG))
      await vi.waitFor(async () => compare(example, there(await done(command, env))), WAIT)
    else if (isWhole) expect(judged(await done(command, env))).toEqual(judged(verdict?.code ?? ''))
  }
}

/** A breaker opens and closes in its own time, which is longer on a busy machine. */
const WAIT = { timeout: 30_000, interval: 250 }

function compare(example: Example, printed: string): void {
  if (example.output === undefined || isRewritten(PAGE, example, printed)) return
  const where = `${PAGE}:${example.line}. With PAGES=write set, the page gets the new output.`
  expect(shapeOf(settled(printed)), where).toEqual(shapeOf(settled(example.output)))
  // A breaker is open or closed, and an API answers that or another status: those numbers are what the page is about.
  for (const telling of example.output.match(/^spiral_cb_state.*|"(?:name|type|stream|rate|leaseMs)":[^,}]*/gm) ?? [])
    expect(printed, where).toContain(telling)
}

/** What a run says of the alerts that must fire, and its verdict, without their numbers. */
const judged = (output: string): readonly string[] =>
  output
    .split('\n')
    .filter((line) => /^(?: +detected|pass)/.test(line))
    .map((line) => line.replace(/\d+/g, '#'))

/** How much an injection has affected so far differs from run to run. */
const settled = (text: string): string => text.replace(/(in force|ended \(stopped\)).*/g, '$1')

/** Starts what stays, until the test ends. @returns What it has printed when it is ready */
async function started(command: string, ready: RegExp, env: NodeJS.ProcessEnv): Promise<string> {
  // The shell gives its place to the program, so that ending the one ends the other.
  const child = spawn('sh', ['-c', command.replace(/^((?:\w+=\S+ )*)/, '$1exec ')], {
    cwd: APP,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text))
  await vi.waitFor(() => expect(printed, command).toMatch(ready), WAIT)
  return printed
}

async function done(command: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { exitCode, stdout, stderr } = await run('sh', ['-e', '-c', command], {
    cwd: APP,
    env,
    timeoutMs: 300_000,
  })
  expect(exitCode, `${command}\n${stdout}${stderr}`).toBe(0)
  return stdout
}

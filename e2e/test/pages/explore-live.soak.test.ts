import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@chaos/test-servers'
import { expect, it, onTestFinished } from 'vitest'
import { blocksOf, isRewritten } from '../../src/page-examples.js'
import { packageNamed, root } from '../../src/repository.js'
import { run } from '../../src/run.js'

const PAGE = 'docs/explore-live.md'
const FOLDER = join(root, 'e2e', 'test-results')
const blocks = blocksOf(PAGE)
const commands = blocks.find(
  ({ language, code }) => language === 'sh' && code.startsWith('NODE_ENV=development node shop.mjs'),
)
const output = blocks.find(({ language }) => language === 'text')

/** The words of a command of the page. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')

/** Times and ports differ from run to run. */
const masked = (text: string): string => text.replace(/\d+(\.\d+)? m?s\b/g, '… s').trimEnd()

interface Place {
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
}

/** A folder within e2e, so that what is in it finds the packages that e2e depends on. */
function makePlace(): Place {
  mkdirSync(FOLDER, { recursive: true })
  const folder = mkdtempSync(join(FOLDER, 'page-explore-live-'))
  // The path of a socket is short.
  const sockets = mkdtempSync(join(tmpdir(), 'chaos-live-'))
  for (const made of [folder, sockets]) onTestFinished(() => rmSync(made, { recursive: true }))
  // `chaos explore` runs the program `chaos-explore`, which npm puts there.
  mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true })
  symlinkSync(join(packageNamed('test').dir, 'dist', 'bin.js'), join(folder, 'node_modules', '.bin', 'chaos-explore'))
  return { folder, env: { ...process.env, NODE_ENV: 'development', CHAOS_SOCKET_DIR: sockets } }
}

/** Starts an app, and waits until it says that it is open. */
async function startApp({ folder, env }: Place, args: readonly string[]): Promise<void> {
  const app = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void app.kill('SIGKILL'))
  expect(String(await once(app.stdout, 'data'))).toBe('shop is open\n')
}

/** Runs `chaos` in the folder of an app. */
function chaos({ folder, env }: Place, words: readonly string[]) {
  const program = join(packageNamed('cli').dir, 'dist', 'bin.js')
  // The machine may be busy.
  return run(process.execPath, [program, ...words, '--deadline', '60s'], { cwd: folder, env, timeoutMs: 100_000 })
}

it('is explored as the page shows', { timeout: 120_000 }, async () => {
  const port = String(await freePort())
  const here = (text: string): string => text.replaceAll('3000', port)
  const place = makePlace()
  for (const { file, code } of blocks) if (file !== undefined) writeFileSync(join(place.folder, file), here(code))
  const probes = here(blocks.find(({ language }) => language === 'json')?.code ?? '')
  // The machine may be busy.
  writeFileSync(join(place.folder, 'probes.json'), probes.replace('"tolerance"', '"timeoutMs": 30000, "tolerance"'))
  await startApp(place, ['shop.mjs'])

  const line = commands?.code.split('\n').find((one) => one.startsWith('npx chaos explore ')) ?? ''
  const ran = await chaos(place, wordsOf(here(line)).slice(2))
  expect(ran.stderr).toBe('')
  const printed = ran.stdout.replaceAll(port, '3000')
  if (commands !== undefined && isRewritten(PAGE, { ...commands, output: output?.code }, printed)) return
  expect(masked(printed)).toBe(masked(output?.code ?? ''))
  expect(ran.exitCode).toBe(10)
  expect(readFileSync(join(place.folder, 'reports', 'explore.html'), 'utf8')).toContain('<td class="broke"')
})

/** A shop that asks a bank by `fetch`, and once more if that fails. Nothing in it knows of chaos. */
const PLAIN_SHOP = `
import { createServer } from 'node:http'
import { once } from 'node:events'
let charges = 0
const bank = createServer((request, response) => response.end(String((charges += 1)))).listen(0, '127.0.0.1')
await once(bank, 'listening')
const charge = async () => (await fetch('http://127.0.0.1:' + bank.address().port)).text()
createServer(async (request, response) => {
  if (request.url === '/reset') charges = 0
  if (request.url === '/orders') {
    let body = ''
    for await (const part of request) body += part
    if (JSON.parse(body).item !== 'tea') response.statusCode = 400
    else await charge().catch(charge).catch(() => (response.statusCode = 503))
  }
  response.end(JSON.stringify({ charges }))
}).listen(Number(process.env.PORT), '127.0.0.1', () => console.log('shop is open'))
`

it('an app without chaos code is explored, if it is started with the preload', { timeout: 120_000 }, async () => {
  const port = String(await freePort())
  const place = makePlace()
  writeFileSync(join(place.folder, 'package.json'), '{ "type": "module", "dependencies": { "@chaos/adapter": "*" } }')
  writeFileSync(join(place.folder, 'shop.js'), PLAIN_SHOP)
  const withPort = { ...place, env: { ...place.env, PORT: port } }
  await startApp(withPort, ['--require', '@chaos/control/register', 'shop.js'])

  const app = `http://127.0.0.1:${port}`
  const probe = { name: 'charges', type: 'http', url: `${app}/stats`, path: 'charges', tolerance: { atMost: 1 } }
  const ran = await chaos(place, [
    'explore',
    ...['--load', `POST ${app}/orders`, '--body', '{"item":"tea"}', '--reset', `POST ${app}/reset`],
    ...['--probe', JSON.stringify({ ...probe, timeoutMs: 30_000 }), '--within', '200ms'],
    ...['--fault', 'fetch:cut-responses', '--depth', '1'],
  ])
  expect(ran.stderr).toBe('')
  expect(ran.stdout).toMatch(/^1\. fetch\.GET http:\S+ #1: adapter\/cut-responses\n {3}charges: expected ≤ 1, got 2\n/m)
  expect(ran.exitCode).toBe(10)
})

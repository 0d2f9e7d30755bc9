import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { once } from 'node:events'
import { freePort } from '@chaos/test-servers'
import { expect, it, onTestFinished, vi } from 'vitest'
import { blocksOf, examplesOf, isRewritten } from '../../src/page-examples.js'
import { packageNamed, root } from '../../src/repository.js'
import { run } from '../../src/run.js'

const PAGE = 'docs/recipes/one-request.md'
const FOLDER = join(root, 'e2e', 'test-results')
const [started, ...shown] = examplesOf(PAGE, 'sh')

/** What differs from run to run: times, and the port. */
const masked = (text: string, port: string): string =>
  text
    .replaceAll(port, '3000')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-11-30T12:10:00.000Z')
    .replace(/in force for \d+\.\d s/g, 'in force for 600.0 s')
    .trimEnd()

/** The minted header in an output of `chaos scope`, and the id in it. */
function mintedIn(text: string): { readonly id: string; readonly header: string } {
  const [header = '', id = ''] = /chaos=(checkout-[0-9a-f]{16})\.\w+\.[\w-]{22}/.exec(text) ?? []
  expect(id).not.toBe('')
  return { id, header }
}

it('breaks one request as the page shows', { timeout: 180_000 }, async () => {
  const port = String(await freePort())
  mkdirSync(FOLDER, { recursive: true })
  const folder = mkdtempSync(join(FOLDER, 'page-one-request-'))
  // The path of a socket is short.
  const sockets = mkdtempSync(join(tmpdir(), 'chaos-one-'))
  for (const made of [folder, sockets]) onTestFinished(() => rmSync(made, { recursive: true }))
  // The app finds its injectors, and the commands find `npx chaos`.
  writeFileSync(join(folder, 'package.json'), '{ "dependencies": { "@chaos/adapter": "*" } }')
  const cli = join(packageNamed('cli').dir, 'dist', 'bin.js')
  writeFileSync(join(folder, 'npx'), `#!/bin/sh\nshift\nexec '${process.execPath}' '${cli}' "$@"\n`, { mode: 0o755 })
  for (const { file, code } of blocksOf(PAGE))
    if (file !== undefined) writeFileSync(join(folder, file), code.replace(/^\/\/ .*\n/, '').replaceAll('3000', port))
  const env = {
    ...process.env,
    CHAOS_SOCKET_DIR: sockets,
    PATH: [folder, process.env['PATH'] ?? ''].join(delimiter),
  }
  const app = spawn('sh', ['-c', `exec env ${started?.code ?? ''}`], { cwd: folder, env, stdio: 'inherit' })
  onTestFinished(() => void app.kill('SIGKILL'))
  await vi.waitFor(
    async () => {
      const socket = connect(Number(port), '127.0.0.1')
      await once(socket, 'connect')
      socket.destroy()
    },
    { timeout: 60_000 },
  )

  let theirs: ReturnType<typeof mintedIn> | undefined
  let ours: ReturnType<typeof mintedIn> | undefined
  for (const example of shown) {
    const command = example.code
      .replaceAll('3000', port)
      .replaceAll(theirs?.header ?? '\0', ours?.header ?? '')
      .replaceAll(theirs?.id ?? '\0', ours?.id ?? '')
    const { stdout, stderr } = await run('sh', ['-c', command], { cwd: folder, env, timeoutMs: 100_000 })
    expect(stderr).toBe('')
    if (ours === undefined) {
      ours = mintedIn(stdout)
      theirs = mintedIn(example.output ?? '')
    }
    const printed = masked(
      stdout.replaceAll(ours.header, theirs?.header ?? '').replaceAll(ours.id, theirs?.id ?? ''),
      port,
    )
    if (isRewritten(PAGE, example, `${printed}\n`)) continue
    expect(printed).toBe(masked(example.output ?? '', port))
  }
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { manualClock } from '@chaos/core/testing'
import { privateFolder, testChaos } from '../../test/support.js'
import { openSocket } from '../endpoints/unix-socket.js'
import { discover } from './discover.js'

async function opened(directory: string, name: string) {
  const { controller } = testChaos()
  const endpoint = await openSocket(controller, { directory, name })
  onTestFinished(() => endpoint.close())
  return endpoint
}

/** A socket without a listener, as a killed process leaves it, named after its own pid or another one. */
async function leftBehind(directory: string, pid: number | 'own' = 'own'): Promise<readonly string[]> {
  const script = `
    const path = require('node:path').join(process.argv[1], (process.argv[2] === 'own' ? process.pid : process.argv[2]) + '-7')
    require('node:net').createServer().listen(path + '.sock', () => {
      require('node:fs').writeFileSync(path + '.json', JSON.stringify({ pid: process.pid, name: 'dead', startedAt: 1, socketPath: path + '.sock' }))
      console.log(path)
    })`
  const child = spawn(process.execPath, ['-e', script, directory, String(pid)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [path] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  return ['sock', 'json'].map((end) => `${path.trim()}.${end}`)
}

/** Something that accepts and never answers. */
async function mute(directory: string, base: string): Promise<void> {
  const server = createServer((socket) => onTestFinished(() => void socket.destroy()))
  await new Promise<void>((resolve) => server.listen(join(directory, `${base}.sock`), resolve))
  writeFileSync(
    join(directory, `${base}.json`),
    JSON.stringify({ pid: process.pid, name: 'mute', startedAt: 1, socketPath: '' }),
  )
  onTestFinished(() => void server.close())
}

describe('discover', () => {
  it('finds what is open, and what can be broken there', async () => {
    const directory = privateFolder()
    expect(await discover({ directory })).toEqual([])
    const first = await opened(directory, 'first')
    const second = await opened(directory, 'second')
    const found = await discover({ directory })
    expect(found.map(({ name, socketPath }) => ({ name, socketPath }))).toEqual([
      { name: 'first', socketPath: first.path },
      { name: 'second', socketPath: second.path },
    ])
    expect(found[0]).toMatchObject({ pid: process.pid, targets: [{ name: 'bus' }] })
    await first.close()
    expect(await discover({ directory })).toHaveLength(1)
  })

  it('looks where the environment says, and nowhere when nothing is there', async () => {
    const directory = privateFolder()
    await opened(directory, 'mine')
    vi.stubEnv('CHAOS_SOCKET_DIR', directory)
    expect(await discover()).toMatchObject([{ name: 'mine' }])
    vi.stubEnv('CHAOS_SOCKET_DIR', join(directory, 'none'))
    expect(await discover()).toEqual([])
  })

  it('removes what the dead have left behind, and nothing else', async () => {
    const directory = privateFolder()
    const live = await opened(directory, 'live')
    const stale = await leftBehind(directory)
    expect(stale.map(existsSync)).toEqual([true, true])
    writeFileSync(join(directory, 'notes.txt'), '')
    expect(await discover({ directory })).toMatchObject([{ socketPath: live.path }])
    expect(stale.map(existsSync)).toEqual([false, false])
    expect(readdirSync(directory)).toHaveLength(3)
  })

  it('spares what may be about to listen, and removes it once it is old: its pid has been given away', async () => {
    const directory = privateFolder()
    const stale = await leftBehind(directory, process.pid)
    expect(await discover({ directory })).toEqual([])
    expect(stale.map(existsSync)).toEqual([true, true])
    const old = new Date(Date.now() - 60_000)
    for (const path of stale) utimesSync(path, old, old)
    expect(await discover({ directory })).toEqual([])
    expect(stale.map(existsSync)).toEqual([false, false])
  })

  it('waits only so long for one process, and leaves its socket alone', async () => {
    const directory = privateFolder()
    const live = await opened(directory, 'live')
    await mute(directory, `${process.pid}-9`)
    const clock = manualClock()
    const finding = discover({ directory, clock, timeoutMs: 500 })
    await vi.waitFor(() => expect(clock.pending).toBe(1))
    await clock.advance(500)
    expect(await finding).toMatchObject([{ socketPath: live.path }])
    expect(existsSync(join(directory, `${process.pid}-9.sock`))).toBe(true)
  })

  it('leaves out what says nothing sensible of itself', async () => {
    const directory = privateFolder()
    const live = await opened(directory, 'live')
    for (const said of ['', '{}', '{"pid":"1"}', `"${'x'.repeat(9_000)}"`]) {
      writeFileSync(live.path.replace('.sock', '.json'), said)
      expect(await discover({ directory })).toEqual([])
    }
  })

  it('does not follow a link in place of a socket', async () => {
    const elsewhere = privateFolder()
    const live = await opened(elsewhere, 'elsewhere')
    const directory = privateFolder()
    const link = join(directory, `${process.pid}-1`)
    symlinkSync(live.path, `${link}.sock`)
    symlinkSync(live.path.replace('.sock', '.json'), `${link}.json`)
    expect(await discover({ directory })).toEqual([])
    expect(readdirSync(directory)).toHaveLength(2)
  })

  it('ignores sockets that belong to someone else', async () => {
    const directory = privateFolder()
    await opened(directory, 'mine')
    vi.spyOn(process, 'getuid').mockReturnValue(statSync(directory).uid + 1)
    await expect(discover({ directory })).rejects.toMatchObject({ code: 'CHAOS_SOCKET_DIRECTORY' })
  })

  it('says so when a directory that was asked for is not private, and passes by a default one', async () => {
    const runtime = privateFolder()
    mkdirSync(join(runtime, 'chaos-harness'))
    chmodSync(join(runtime, 'chaos-harness'), 0o755)
    await expect(discover({ directory: join(runtime, 'chaos-harness') })).rejects.toMatchObject({
      code: 'CHAOS_SOCKET_DIRECTORY',
    })
    vi.stubEnv('CHAOS_SOCKET_DIR', '')
    vi.stubEnv('XDG_RUNTIME_DIR', runtime)
    vi.stubEnv('TMPDIR', privateFolder())
    expect(await discover()).toEqual([])
  })
})

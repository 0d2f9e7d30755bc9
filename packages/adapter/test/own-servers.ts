import { execFileSync, spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** A server of this test run's own, on a free port of 127.0.0.1, with a folder of its own. */
export interface OwnServer {
  readonly port: number
  readonly folder: string
  readonly process: ChildProcess
  /** Ends it and removes its folder. */
  readonly stop: () => Promise<void>
}

const debianPostgres = (): string[] => {
  try {
    return readdirSync('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`)
  } catch {
    return []
  }
}

/** For suites that make a database first: a limit for what hangs, not a bar on speed. In ms. */
export const SERVER_TIMEOUT_MS = 180_000

/** Where a program is, or `undefined`. */
function programPath(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', ...debianPostgres()]
  return folders.map((folder) => join(folder, name)).find((path) => {
    try {
      accessSync(path)
      return true
    } catch {
      return false
    }
  })
}

/** Whether a suite that needs these programs runs. With CHAOS_REQUIRE_SERVICES=all it runs, and fails where one is missing. */
export function hasPrograms(...names: readonly string[]): boolean {
  return process.env['CHAOS_REQUIRE_SERVICES'] === 'all' || names.every((name) => programPath(name) !== undefined)
}

/** Starts a Redis server, with its command line's options. */
export async function ownRedis(...options: readonly string[]): Promise<OwnServer> {
  return ownServer((port, folder) => [required('redis-server'), ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', '', ...options], {}])
}

/** The same Redis again: on the port and in the folder of one that has ended. */
export async function redisAgain({ port, folder }: OwnServer, ...options: readonly string[]): Promise<OwnServer> {
  return started(port, folder, [required('redis-server'), ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', '', ...options], {}])
}

/** Starts a PostgreSQL server where everyone may be `root`. It refuses to run as root, so root runs it as the user `postgres`. */
export async function ownPostgres(...settings: readonly string[]): Promise<OwnServer> {
  const user = process.getuid?.() === 0 ? { uid: Number(execFileSync('id', ['-u', 'postgres'])), gid: Number(execFileSync('id', ['-g', 'postgres'])) } : {}
  return ownServer((port, folder) => {
    if (user.uid !== undefined) chownSync(folder, user.uid, user.gid)
    const data = join(folder, 'data')
    run(required('initdb'), ['-D', data, '--no-sync', '-A', 'trust', '-U', 'root'], { cwd: folder, ...user })
    const flags = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', 'max_wal_senders=0', 'superuser_reserved_connections=0', ...settings].flatMap((setting) => ['-c', setting])
    return [required('postgres'), ['-D', data, '-F', ...flags], { cwd: folder, ...user }, 'ready to accept connections']
  }, 'SIGQUIT')
}

/** Starts a MariaDB server where `root` needs no password. */
export async function ownMariaDb(...options: readonly string[]): Promise<OwnServer> {
  return ownServer((port, folder) => {
    const user = process.getuid?.() === 0 ? ['--user=root'] : []
    const data = join(folder, 'data')
    run(required('mariadb-install-db'), ['--no-defaults', ...user, '--auth-root-authentication-method=normal', '--skip-test-db', `--datadir=${data}`], {})
    return [required('mariadbd'), ['--no-defaults', ...user, `--datadir=${data}`, `--port=${port}`, '--bind-address=127.0.0.1', `--socket=${join(folder, 'socket')}`, ...options], {}]
  })
}

/** `ready` is what the server writes when it answers; without it, it answers as soon as it listens. */
type Command = readonly [program: string, args: readonly string[], options: SpawnOptions, ready?: string]

/** Another process may take the free port first: then the server ends, and is started again. */
async function ownServer(command: (port: number, folder: string) => Command, end: NodeJS.Signals = 'SIGKILL'): Promise<OwnServer> {
  for (let attempt = 1; ; attempt += 1) {
    const [port, folder] = [await freePort(), mkdtempSync(join(tmpdir(), 'chaos-adapter-'))]
    try {
      return await started(port, folder, command(port, folder), end)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      if (attempt === 3) throw error
    }
  }
}

async function started(port: number, folder: string, [program, args, options, ready]: Command, end: NodeJS.Signals = 'SIGKILL'): Promise<OwnServer> {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const said = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output = (output + String(chunk)).slice(-4_000)
        if (ready !== undefined && output.includes(ready)) resolve()
      })
    }
  })
  const killWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const ended = once(child, 'exit').then(() => process.off('exit', killWithUs))
  await Promise.race([
    ready === undefined ? accepts(port) : said,
    ended.then(() => Promise.reject(new Error(`Expected ${program} to accept connections on port ${port}, it ended:\n${output}`))),
  ])
  return {
    port,
    folder,
    process: child,
    async stop() {
      child.kill('SIGCONT')
      child.kill(end)
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Resolves when something listens on the port. */
async function accepts(port: number): Promise<void> {
  const isOpen = await new Promise<boolean>((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
  if (isOpen) return
  await new Promise((resolve) => setTimeout(resolve, 25))
  return accepts(port)
}

/** A port of 127.0.0.1 that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function required(name: string): string {
  const path = programPath(name)
  if (path === undefined) throw new Error(`Expected the program ${name} on PATH, got none. Install it, or leave CHAOS_REQUIRE_SERVICES unset to skip what needs it.`)
  return path
}

function run(program: string, args: readonly string[], options: SpawnOptions): void {
  const { status, stderr } = spawnSync(program, args, { ...options, encoding: 'utf8' })
  if (status !== 0) throw new Error(`Expected ${program} to succeed, got exit code ${String(status)}:\n${stderr}`)
}

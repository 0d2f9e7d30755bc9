import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createChaos, target } from '@chaos/core'
import { defineFault, option } from '@chaos/core/authoring'
import { ownRedis, type OwnServer } from '@chaos/test-servers'
import { Redis } from 'ioredis'
import { expect, onTestFinished, vi } from 'vitest'
import { joinFleet, type FleetMember, type JoinFleetOptions } from '../src/agent/join-fleet.js'
import { main } from '../src/bin/main.js'
import { readPublicKeyFile } from '../src/plan/key-files.js'
import { userOf, type Role } from '../src/transports/redis/acl.js'
import { silenced, type Speaker } from './silence.js'

const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url))

/** What a command has printed, and how it has ended. */
export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A command that runs. */
export interface Running {
  readonly process: ChildProcess
  /** What it has printed so far, on both streams. */
  said(): string
  readonly ended: Promise<Ran>
}

/** Starts the built command as a process of its own, which does not outlive the test. */
function started(argv: readonly string[], env: NodeJS.ProcessEnv, bin = BIN): Running {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CHAOS_')))
  const command = spawn(process.execPath, [bin, ...argv], {
    env: { ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void command.kill('SIGKILL'))
  let [out, err, both] = ['', '', '']
  command.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    both += text
  })
  command.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
    both += text
  })
  return {
    process: command,
    said: () => both,
    ended: once(command, 'close').then(([code]) => ({ code: code as number | null, out, err })),
  }
}

/** Runs the built command to its end, in a process of its own. */
export const ranBuilt = (argv: readonly string[], env: NodeJS.ProcessEnv, bin: string): Promise<Ran> =>
  started(argv, env, bin).ended

/** Runs the command to its end in this process, which has its environment meanwhile: one command at a time. */
export async function ran(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  let [out, err] = ['', '']
  const own = Object.entries(process.env).filter(([name]) => name.startsWith('CHAOS_'))
  for (const [name] of own) Reflect.deleteProperty(process.env, name)
  Object.assign(process.env, env)
  try {
    const code = await main(argv, {
      out: (line) => void (out += `${line}\n`),
      err: (line) => void (err += `${line}\n`),
      isTerminal: false,
      size: () => ({ columns: 80, rows: 24 }),
      signal: new AbortController().signal,
    })
    return { code, out, err }
  } finally {
    for (const name of Object.keys(env)) Reflect.deleteProperty(process.env, name)
    Object.assign(process.env, Object.fromEntries(own))
  }
}

/** A folder for one test. */
export function folderForTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-fleet-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A fleet whose users, passwords and key the command itself has made. */
export interface GuardedFleet {
  readonly server: OwnServer
  readonly folder: string
  /** The file with the private key. */
  readonly keyFile: string
  /** The URL of the fleet for a role, with its password. */
  readonly url: (role: Role) => string
  readonly passwordOf: (role: Role) => string
  /** Runs the command to its end with the credential of a role, in this process. */
  readonly as: (role: Role, ...argv: readonly string[]) => Promise<Ran>
  /** Starts the built command with the credential of a role. */
  readonly startAs: (role: Role, ...argv: readonly string[]) => Running
  /** Joins the fleet with a process that says `hello` unless it is silenced. */
  readonly join: (given?: Partial<JoinFleetOptions> & { readonly instanceTtlMs?: number }) => Member
}

/** A process of the fleet, in this process. */
interface Member extends FleetMember {
  readonly say: () => string
}

/** Silences a speaker. */
const silence = defineFault({
  name: 'test/silence',
  kind: 'standing',
  summary: 'Silences a speaker.',
  options: { level: option.optional(option.count('How silent.', 1, 10), 1) },
  target: { expects: 'an object', accepts: () => true },
  inject(speaker: Speaker, _options, context) {
    silenced(speaker, context)
  },
})

/** Starts a Redis whose users are those that `chaos fleet acl` writes, with a key that `chaos fleet key` makes. */
export async function guardedFleet(): Promise<GuardedFleet> {
  const folder = folderForTest()
  const [passwords, users] = [join(folder, 'passwords'), join(folder, 'users.acl')]
  for (const argv of [
    ['acl', '--fleet', 'shop', '--passwords', passwords, '--out', users],
    ['key', '--out', join(folder, 'keys')],
  ]) {
    const { code, err } = await ran(argv)
    if (code !== 0) throw new Error(err)
  }
  const server = await ownRedis('--aclfile', users)
  onTestFinished(() => server.stop())
  const passwordOf = (role: Role): string => readFileSync(join(passwords, role), 'utf8').trim()
  const url = (role: Role): string =>
    `redis://${userOf('shop', role)}:${passwordOf(role)}@127.0.0.1:${server.port}?fleet=shop&environment=staging`
  const keyFile = join(folder, 'keys', 'ops')
  const env = (role: Role): NodeJS.ProcessEnv => ({
    CHAOS_FLEET_URL: url(role),
    ...(role === 'controller' ? { CHAOS_FLEET_KEY: keyFile } : {}),
  })
  return {
    server,
    folder,
    keyFile,
    url,
    passwordOf,
    as: (role, ...argv) => ran(argv, env(role)),
    startAs: (role, ...argv) => started(argv, env(role)),
    join({ instanceTtlMs, ...given } = {}) {
      const speaker = { say: () => 'hello' }
      const chaos = createChaos({
        environment: 'staging',
        allowEnvironments: ['staging'],
        targets: { it: target(speaker, [silence]) },
      })
      const member = joinFleet(chaos, {
        redis: {
          port: server.port,
          username: userOf('shop', 'agent'),
          password: passwordOf('agent'),
          instanceTtlMs,
        },
        fleet: 'shop',
        service: 'orders',
        keys: { ops: readPublicKeyFile(`${keyFile}.pub`).publicKey },
        idlePollMs: 100,
        // The test runner keeps its own signals.
        handleSignals: false,
        log: () => undefined,
        ...given,
      })
      onTestFinished(async () => {
        await member.leave()
        await chaos.close()
      })
      return {
        id: member.id,
        get state() {
          return member.state
        },
        stop: () => member.stop(),
        leave: () => member.leave(),
        say: () => speaker.say(),
      }
    },
  }
}

/** Sees what is really in Redis. */
export function witnessOf({ server }: GuardedFleet): Redis {
  const witness = new Redis(server.port, '127.0.0.1')
  onTestFinished(() => witness.disconnect())
  return witness
}

/** Waits until so many agents have read. */
export async function listed(fleet: GuardedFleet, count: number): Promise<void> {
  const witness = witnessOf(fleet)
  await vi.waitFor(async () => expect(await witness.zcard('{chaos:shop}:index')).toBe(count), { timeout: 20_000 })
}

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasPrograms } from '@chaos/test-servers'
import type { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { readKeyFile, readPublicKeyFile } from '../src/plan/key-files.js'
import { folderForTest, guardedFleet, listed, ran, witnessOf } from './command.js'

/** All keys with what they hold; of the index, whom it holds: an agent that is woken reads once more. */
async function contentsOf(witness: Redis): Promise<readonly (readonly [string, string])[]> {
  const keys = (await witness.keys('*')).sort()
  return Promise.all(
    keys.map(async (key) => {
      const value = key.endsWith(':index') ? (await witness.zrange(key, 0, -1)).sort() : await witness.dump(key)
      return [key, String(value)] as const
    }),
  )
}

/** The addresses of the connections that there are. */
async function addressesOf(witness: Redis): Promise<ReadonlySet<string>> {
  const list = (await witness.client('LIST')) as string
  return new Set([...list.matchAll(/ addr=(\S+)/g)].map(([, address = '']) => address))
}

const json = (text: string): unknown => JSON.parse(text)

describe('the files that the command makes', () => {
  it('makes a key pair that can be read, and overwrites none', async () => {
    const folder = join(folderForTest(), 'deep', 'keys')
    const made = await ran(['key', '--out', folder, '--id', 'ann', '--json'])
    expect(made).toMatchObject({ code: 0, err: '' })
    expect(json(made.out)).toMatchObject({ keyId: 'ann', privateKeyFile: join(folder, 'ann') })
    const { keyId, publicKey } = readKeyFile(join(folder, 'ann'))
    expect(readPublicKeyFile(join(folder, 'ann.pub'))).toEqual({ keyId, publicKey })
    const again = await ran(['key', '--out', folder, '--id', 'ann'])
    expect(again).toMatchObject({ code: 2, out: '', err: expect.stringContaining('CHAOS_FLEET_KEY_REFUSED') as string })
    expect(again.err).toMatch(/^next: /m)
    expect(readKeyFile(join(folder, 'ann')).publicKey).toBe(publicKey)
    for (const id of ['../ann', 'a/b', 'a.pem', '..', 'a b', '', 'x'.repeat(101)]) {
      const other = join(folder, 'other')
      expect(await ran(['key', '--out', other, '--id', id])).toMatchObject({ code: 2, out: '' })
      expect(existsSync(other)).toBe(false)
    }
  })

  it('writes the users of a fleet with hashes alone, and keeps passwords that are there', async () => {
    const folder = folderForTest()
    const passwords = join(folder, 'passwords')
    mkdirSync(passwords)
    writeFileSync(join(passwords, 'halter'), 'a password of the on-call\n', { mode: 0o600 })
    const out = join(folder, 'users.acl')
    const args = ['acl', '--fleet', 'shop', '--passwords', passwords]
    const wrote = await ran([...args, '--out', out])
    expect(wrote).toMatchObject({ code: 0, err: '' })
    expect(statSync(out).mode & 0o777).toBe(0o600)
    const all = `${readFileSync(out, 'utf8')}${wrote.out}`
    for (const role of ['agent', 'controller', 'halter', 'operator']) {
      expect(statSync(join(passwords, role)).mode & 0o777).toBe(0o600)
      const password = readFileSync(join(passwords, role), 'utf8').trim()
      expect(password.length).toBeGreaterThan(20)
      expect(all).not.toContain(password)
    }
    expect(readFileSync(join(passwords, 'halter'), 'utf8')).toBe('a password of the on-call\n')
    // The same passwords give the same file, now on standard output and for one role.
    const one = await ran([...args, '--role', 'halter'])
    expect(one.code).toBe(0)
    expect(readFileSync(out, 'utf8').split('\n')).toContain(one.out.trimEnd())
    expect(one.out).toMatch(/^user chaos-shop-halter [^\n]*\n$/)
    const before = readFileSync(out, 'utf8')
    expect(await ran([...args, '--out', out])).toMatchObject({ code: 2 })
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'link'))
    expect(await ran([...args, '--out', join(folder, 'link')])).toMatchObject({ code: 2 })
    expect(readFileSync(out, 'utf8')).toBe(before)
    // A file that cannot be written is found before any password is made.
    const fresh = join(folder, 'fresh')
    expect(await ran(['acl', '--fleet', 'shop', '--passwords', fresh, '--out', out])).toMatchObject({ code: 2 })
    expect(readdirSync(fresh)).toEqual([])
  })

  it.each([
    [['acl', '--fleet', '*', '--passwords', 'NEW'], 'the name of the fleet|a name of letters'],
    [['acl', '--passwords', 'NEW'], '--fleet'],
    [['acl', '--fleet', 'shop'], '--passwords'],
    [['acl', '--fleet', 'shop', '--passwords', 'NEW', '--role', 'halt'], 'Unknown role'],
    [['acl', '--fleet', 'shop', '--passwords', 'NEW', '--password', 'secret'], 'Unknown option'],
    [['acl', '--fleet', 'shop', '--passwords', 'OPEN'], 'chmod 600'],
    [['acl', '--fleet', 'shop', '--passwords', 'SHORT'], 'at least 16'],
    [['key'], '--out'],
  ])('refuses %j, and makes nothing', async (argv, why) => {
    const folder = folderForTest()
    for (const [name, text, mode] of [
      ['OPEN', 'a password that all may read', 0o644],
      ['SHORT', 'short', 0o600],
    ] as const) {
      mkdirSync(join(folder, name))
      writeFileSync(join(folder, name, 'operator'), text, { mode })
    }
    const { code, out, err } = await ran(argv.map((word) => (/^[A-Z]+$/.test(word) ? join(folder, word) : word)))
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(new RegExp(why))
    expect(() => statSync(join(folder, 'NEW'))).toThrow('ENOENT')
    expect(() => statSync(join(folder, 'SHORT', 'agent'))).toThrow('ENOENT')
  })
})

describe.runIf(hasPrograms('redis-server'))(
  'the verbs on a fleet with users of its own (skipped without `redis-server`: Debian package redis-server)',
  () => {
    it('opens by the operator, halts by the halter, and says what it has found', async () => {
      const fleet = await guardedFleet()
      const opened = await fleet.as('operator', 'open', '--for', '1h', '--reason', 'a drill')
      expect(opened).toMatchObject({
        code: 0,
        err: '',
        out: expect.stringMatching(/^open: the fleet shop, for 1 h, until /) as string,
      })
      const halted = await fleet.as('halter', 'halt', '--reason', 'alerts')
      expect(halted).toMatchObject({
        code: 0,
        err: '',
        out: expect.stringMatching(/^halted: the fleet shop, by \S+ at \S+Z: alerts$/m) as string,
      })
      expect(await witnessOf(fleet).exists('{chaos:shop}:halt')).toBe(1)
      const again = await fleet.as('halter', 'halt', '--reason', 'me too')
      expect(again).toMatchObject({ code: 0, out: expect.stringMatching(/^halted already: .*: alerts$/m) as string })
      expect(json((await fleet.as('halter', 'halt', '--json')).out)).toMatchObject({
        fleet: 'shop',
        earlier: { reason: 'alerts' },
      })
      const lifted = await fleet.as('operator', 'open', '--for', '30m', '--reason', 'all clear')
      expect(lifted.out).toMatch(/^lifted the halt: alerts\nopen: /)
      expect((await fleet.as('operator', 'open', '--for', '1h', '--reason', 'longer')).out).toMatch(/^prolonged: /)
      expect((await fleet.as('operator', 'open', '--for', '1m', '--reason', 'enough')).out).toMatch(/^shortened: /)
      expect((await fleet.as('operator', 'close', '--reason', 'done')).out).toMatch(/^closed: /)
      expect((await fleet.as('operator', 'open', '--for', '0')).out).toMatch(/^closed: /)
      expect(json((await fleet.as('operator', 'ls', '--json')).out)).toMatchObject({
        window: { isPermitted: false, openForMs: 0, halt: null },
        instances: [],
      })
    })

    it.each([
      ['halter', ['open', '--for', '1h', '--reason', 'why not']],
      ['halter', ['close']],
      ['halter', ['ls']],
      ['controller', ['open', '--for', '1h', '--reason', 'why not']],
      ['controller', ['halt', '--reason', 'why not']],
      ['agent', ['halt', '--reason', 'why not']],
      ['agent', ['ls']],
    ] as const)('refuses the %s that would %j, without its password in the message', async (role, argv) => {
      const fleet = await guardedFleet()
      const { code, out, err } = await fleet.as(role, ...argv)
      expect({ code, out }).toEqual({ code: 4, out: '' })
      expect(err).toMatch(/^error: .*CHAOS_FLEET_FORBIDDEN\)\nnext: .*\n$/)
      expect(err).not.toContain(fleet.passwordOf(role))
      expect(await witnessOf(fleet).exists('{chaos:shop}:halt', '{chaos:shop}:permit')).toBe(0)
    })

    it('lists instances with their labels, targets and state', async () => {
      const fleet = await guardedFleet()
      const one = fleet.join({ labels: { zone: 'eu-1' } })
      fleet.join({ service: 'billing', labels: { zone: '\u001b[2Jeu\n2' } })
      await listed(fleet, 2)
      const { code, out } = await fleet.as('controller', 'ls')
      expect(code).toBe(0)
      expect(out).toMatch(/^fleet shop, environment staging: closed, so no run may begin\n/)
      expect(out).toContain(one.id)
      expect(out).toContain('zone=eu-1')
      expect(out).toContain('it[service=orders]: `test/silence`')
      expect(out).not.toContain('\u001b')
      expect(json((await fleet.as('controller', 'ls', '--service', 'orders', '--json')).out)).toMatchObject({
        total: 1,
        instances: [{ id: one.id, state: 'idle', run: null, targets: { it: ['test/silence'] } }],
      })
      expect((await fleet.as('controller', 'ls', '--limit', '1')).out).toContain('and 1 more')
    })

    it('plans a fault with the exact instances, writes nothing, and names every reason that refuses it', async () => {
      const fleet = await guardedFleet()
      // Agents that read once, and stay listed for a minute: whatever happens in Redis next is of the command.
      const quiet = { idlePollMs: 60_000, instanceTtlMs: 60_000 }
      const [one, two] = [fleet.join(quiet), fleet.join(quiet)]
      await listed(fleet, 2)
      const witness = witnessOf(fleet)
      const agents = await addressesOf(witness)
      const monitor = await witness.monitor()
      onTestFinished(() => monitor.disconnect())
      const commands: string[] = []
      let said = ''
      monitor.on('monitor', (_at: string, [command = '', ...args]: readonly string[], from: string) => {
        said = args.join(' ')
        if (from !== 'lua' && !agents.has(from)) commands.push(command.toLowerCase())
      })
      const before = await contentsOf(witness)

      const fault = ['plan', 'it', 'silence', '--option', 'level=3', '--for', '20s', '--lease', '2s'] as const
      const closed = await fleet.as('controller', ...fault, '--max-share', '0.5')
      expect(closed).toMatchObject({ code: 4, err: '' })
      for (const part of [
        one.id,
        two.id,
        'for at most 20 s',
        'lease 2.0 s',
        '{"level":3}',
        'maxShare',
        'chaos fleet open',
      ])
        expect(closed.out).toContain(part)
      expect(closed.out).toContain('2 reasons refuse it. Nothing was touched.')
      await witness.echo('the end of the first plan')
      await vi.waitFor(() => expect(said).toBe('the end of the first plan'))
      const own = [...new Set(commands)]
      expect(own).toEqual(expect.arrayContaining(['zrangebyscore', 'getrange', 'zrevrange']))
      const infos = (await witness.call('COMMAND', 'INFO', ...own)) as [string, number, string[]][]
      for (const [name, , flags] of infos) expect(flags, name).not.toContain('write')
      // A script can do anything, and is no write command.
      for (const name of ['eval', 'evalsha', 'fcall', 'publish']) expect(own).not.toContain(name)
      expect(await contentsOf(witness)).toEqual(before)

      await fleet.as('operator', 'open', '--for', '1h', '--reason', 'a test')
      const open = await fleet.as('controller', ...fault, '--json')
      expect(open).toMatchObject({ code: 0, err: '' })
      expect(json(open.out)).toMatchObject({
        fleet: 'shop',
        environment: 'staging',
        keyId: 'ops',
        window: { isPermitted: true },
        refusals: [],
        steps: [
          {
            fault: 'test/silence',
            kind: 'standing',
            options: { level: 3 },
            candidates: { orders: 2 },
            quorum: 2,
            leaseMs: 2_000,
            maxDurationMs: 20_000,
            refusals: [],
          },
        ],
      })
      const { steps } = json(open.out) as { steps: { instances: { id: string }[] }[] }
      expect(steps[0]?.instances.map(({ id }) => id).sort()).toEqual([one.id, two.id].sort())
      for (const member of [one, two]) expect(member.say()).toBe('hello')
    })
  },
)

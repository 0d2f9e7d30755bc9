import { hasPrograms, ownRedis, type OwnServer } from '@chaos/test-servers'
import { Redis } from 'ioredis'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { aPlan, anInstance, signedOf } from '../../../test/plans.js'
import { fleetOn } from '../../../test/redis.js'
import { aclFile, userOf, type Role } from './acl.js'

const ROLES = ['agent', 'controller', 'halter', 'operator'] as const
const passwords = {
  agent: 'the password of agents',
  controller: 'the password of controllers',
  halter: 'the password of halters',
  operator: 'the password of operators',
}
const forbidden = { code: 'CHAOS_FLEET_FORBIDDEN' }

/** Commands as they are typed, with `:` for the prefix of the fleet, and who may use them: the first letters of the roles. */
const MATRIX: readonly (readonly [command: string, who: string])[] = [
  ['SET :permit 1 PX 1000', 'o'],
  ['DEL :permit', 'o'],
  ['EXISTS :permit', 'aco'],
  ['SETNX :halt 1', 'ho'],
  ['SET :halt 1 PX 1', ''],
  ['PEXPIRE :halt 1', ''],
  ['DEL :halt', 'o'],
  ['GET :halt', 'acho'],
  ['EXISTS :halt', 'aco'],
  ['GET :epoch', 'acho'],
  ['SET :epoch 1', 'ho'],
  ['HMGET :run:1 plan', 'aco'],
  ['HSET :run:1 phase active', 'c'],
  ['PEXPIRE :run:1 1000', 'c'],
  ['PTTL :run:1', 'aco'],
  ['DEL :run:1', 'c'],
  ['GET :tgt:one', 'aco'],
  ['SET :tgt:one 1', 'c'],
  ['SET :svc:one 1', 'c'],
  ['SET :inst:one 1 PX 1000', 'a'],
  ['GETRANGE :inst:one 0 9', 'co'],
  ['ZADD :index 1 one', 'a'],
  ['ZRANGEBYSCORE :index 1 2', 'co'],
  ['ZADD :running 1 run', 'c'],
  ['ZREVRANGE :running 0 1', 'co'],
  ['DEL :running', ''],
  ['HSET :acks:1 one 1', 'a'],
  ['HGETALL :acks:1', 'co'],
  ['DEL :acks:1', ''],
  ['XADD :audit MAXLEN ~ 100000 * what test', 'acho'],
  ['XREVRANGE :audit + - COUNT 1', 'co'],
  ['XDEL :audit 1-1', ''],
  ['XTRIM :audit MAXLEN 0', ''],
  ['DEL :audit', ''],
  ['SET :audit 1', ''],
  ['PUBLISH :wake 1', 'cho'],
  ['SUBSCRIBE :wake', 'acho'],
  ['SUBSCRIBE other', ''],
  ['PSUBSCRIBE *', ''],
  ['PUBLISH other 1', ''],
  ['GET app', ''],
  ['SET app 1', ''],
  ['GET {chaos:other}:permit', ''],
  ['SET {chaos:other}:permit 1', ''],
  ['SETNX {chaos:other}:halt 1', ''],
  ['FLUSHALL', ''],
  ['FLUSHDB', ''],
  ['KEYS *', ''],
  ['SCAN 0', ''],
  ['MONITOR', ''],
  ['SHUTDOWN', ''],
  ['CONFIG GET *', ''],
  ['CONFIG SET maxmemory 1', ''],
  ['ACL LIST', ''],
  ['ACL SETUSER me on', ''],
  ['CLIENT KILL TYPE normal', ''],
  ['SCRIPT FLUSH', ''],
  ['FUNCTION FLUSH', ''],
  ['DEBUG SLEEP 1', ''],
  ['REPLICAOF NO ONE', ''],
]

describe('the ACL file', () => {
  it('holds no password, and refuses short ones and names that are patterns', () => {
    const file = aclFile('test', passwords)
    expect(file.split('\n').map((line) => line.split(' ')[1])).toEqual([
      ...ROLES.map((role) => `chaos-test-${role}`),
      undefined,
    ])
    for (const password of Object.values(passwords)) expect(file).not.toContain(password)
    const invalid = expect.objectContaining({ code: 'CHAOS_INVALID_OPTION' }) as Error
    expect(() => aclFile('test', { ...passwords, halter: 'short' })).toThrow(invalid)
    expect(() => aclFile('test', {})).toThrow(invalid)
    expect(aclFile('test', { halter: passwords.halter })).toMatch(/^user chaos-test-halter [^\n]*\n$/)
    expect(() => aclFile('*', passwords)).toThrow(invalid)
    expect(() => aclFile('test}:x ~*', passwords)).toThrow(invalid)
  })
})

describe.runIf(hasPrograms('redis-server'))(
  'the roles of a fleet (skipped without `redis-server`: Debian package redis-server)',
  () => {
    let folder: string
    let server: OwnServer
    let admin: Redis
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'chaos-fleet-'))
      writeFileSync(join(folder, 'users.acl'), aclFile('test', passwords))
      server = await ownRedis('--aclfile', join(folder, 'users.acl'))
      admin = new Redis(server.port)
    })
    afterAll(async () => {
      admin.disconnect()
      await server.stop()
      rmSync(folder, { recursive: true })
    })

    const typed = (command: string): [string, ...string[]] =>
      command.split(' ').map((word) => (word.startsWith(':') ? `{chaos:test}${word}` : word)) as [string, ...string[]]
    const as = (role: Role) => fleetOn(server.port, { username: userOf('test', role), password: passwords[role] })
    const client = (role: Role): Redis => {
      const own = new Redis(server.port, {
        username: userOf('test', role),
        password: passwords[role],
        enableReadyCheck: false,
        disableClientInfo: true,
      })
      onTestFinished(() => own.disconnect())
      return own
    }

    it.each(MATRIX)('%s: %s', async (command, who) => {
      const allowed: string[] = []
      for (const role of ROLES) {
        const answer = String(await admin.call('ACL', 'DRYRUN', userOf('test', role), ...typed(command)))
        if (answer === 'OK') allowed.push(role)
        else expect(answer).toMatch(/has no permissions to/)
      }
      expect(allowed).toEqual(ROLES.filter((role) => who.includes(role[0] as string)))
    })

    it.each(MATRIX.filter(([command]) => !/^(SUBSCRIBE|PSUBSCRIBE|MONITOR|SHUTDOWN|DEBUG|REPLICAOF)/.test(command)))(
      'EVAL does not bypass %s: %s',
      async (command, who) => {
        for (const role of ROLES) {
          const script = `return redis.call(${typed(command)
            .map((word) => JSON.stringify(word))
            .join(', ')})`
          const error = await client(role)
            .eval(script, 0)
            .then(
              () => 'none',
              (reason: unknown) => String(reason),
            )
          if (who.includes(role[0] as string)) expect(error, role).not.toMatch(/executing the script/)
          else expect(error, role).toMatch(/executing the script|not allowed from script/)
        }
        await admin.flushall()
      },
    )

    it('are enough for what each does', async () => {
      const [agent, controller, halter, operator] = [
        as('agent').agent,
        as('controller').controller,
        as('halter').controller,
        as('operator').controller,
      ]
      const instance = anInstance()
      const plan = aPlan({ instances: [instance.id], candidates: { journal: 2 } })
      const run = { runId: plan.runId, owner: 'owner' }
      const woken = vi.fn()
      agent.onWake(woken)
      await agent.read(instance)
      await vi.waitFor(() => expect(woken).toHaveBeenCalledTimes(1))
      await operator.permit(60_000, 'olga', 'a test')
      expect(await controller.list()).toEqual([instance])
      expect(await controller.open(signedOf(plan), plan, 'owner')).toMatchObject({ isOpen: true })
      expect((await agent.read(instance)).run?.phase).toBe('prepare')
      await agent.ack(plan.runId, instance.id, { status: 'ready' })
      expect((await controller.acks(plan.runId)).get(instance.id)).toEqual({ status: 'ready' })
      for (const one of [controller, operator]) expect(await one.runs()).toMatchObject([{ id: plan.runId }])
      expect(await controller.renew(run, 5_000, 'active')).toBe('renewed')
      await controller.note('verdict', 'ann', {})
      await halter.halt('stop', 'hal')
      expect((await agent.read(instance)).isPermitted).toBe(false)
      expect(await controller.renew(run, 5_000, 'active')).toBe('halted')
      expect(await controller.status()).toMatchObject({ halt: 'stop' })
      await controller.close(run, plan)
      await operator.halt('stop again', 'olga')
      expect(await operator.status()).toMatchObject({ halt: 'stop' })
      await operator.permit(60_000, 'olga', 'again')
      await operator.permit(0, 'olga', 'enough')
      for (const one of [controller, operator])
        expect((await one.audit(20)).map(({ what }) => what)).toEqual([
          ...['permit', 'open', 'activate', 'verdict', 'halt', 'close', 'halt', 'permit', 'forbid'],
        ])
      expect(await operator.list()).toHaveLength(1)
      expect(await operator.acks(plan.runId)).toBeDefined()
      await agent.close()
      expect(await operator.list()).toHaveLength(0)
    })

    it('are told of what they may not do', async () => {
      const plan = aPlan({ instances: ['one'] })
      await expect(as('agent').controller.halt('stop', 'eve')).rejects.toMatchObject(forbidden)
      await expect(as('agent').controller.open(signedOf(plan), plan, 'owner')).rejects.toMatchObject(forbidden)
      await expect(as('controller').controller.halt('stop', 'eve')).rejects.toMatchObject(forbidden)
      await expect(as('controller').controller.permit(1_000, 'eve', 'why not')).rejects.toMatchObject(forbidden)
      await expect(as('halter').controller.permit(1_000, 'eve', 'why not')).rejects.toMatchObject(forbidden)
      await expect(as('halter').controller.list()).rejects.toMatchObject(forbidden)
      await expect(as('operator').controller.open(signedOf(plan), plan, 'owner')).rejects.toMatchObject(forbidden)
      expect(await as('operator').controller.status()).toMatchObject({ isPermitted: false })
    })
  },
)

import { registeredControllers } from '@chaos/core/authoring'
import { fleetController, makeKey, redisControllerTransport, writeKeyFiles } from '@chaos/fleet/controller'
import { hasPrograms } from '@chaos/test-servers'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { agentEventIn, type AgentEvent } from '../demo/fleet/agent-events.js'
import { startFleetRedis } from '../demo/fleet/own-redis.js'
import { wireChaos } from '../src/chaos.js'
import { start } from './start.js'

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'flappy-fleet-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

/** What the app prints from now on. */
function printedLines(): string[] {
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  onTestFinished(() => log.mockRestore())
  return lines
}

function stubFleet(variables: Readonly<Record<string, string>>): void {
  vi.stubEnv('CHAOS', 'on')
  vi.stubEnv('CHAOS_TOKEN', 'a-token-of-more-than-sixteen-characters')
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
}

it('belongs to no fleet unless it is told to', async () => {
  stubFleet({ CHAOS_FLEET: 'journal' })
  const lines = printedLines()
  await start({ environment: 'development' }, wireChaos)
  expect(lines.filter((line) => line.includes('fleet'))).toEqual([])
})

it.each([
  ['the fleet', { CHAOS_FLEET_PUBLIC_KEY: '/nowhere/ops.pem.pub' }, /^Set CHAOS_FLEET to join a fleet\.$/],
  ['the key', { CHAOS_FLEET: 'journal' }, /^Set CHAOS_FLEET_PUBLIC_KEY to join a fleet\.$/],
  ['a key that is there', { CHAOS_FLEET: 'journal', CHAOS_FLEET_PUBLIC_KEY: '/nowhere/ops.pem.pub' }, /cannot be read/],
])('does not start with half of a fleet: without %s', async (_what, variables, message) => {
  stubFleet({ CHAOS_FLEET_REDIS: 'redis://127.0.0.1:1', ...variables })
  await expect(start({ environment: 'development' }, wireChaos)).rejects.toThrow(message)
  expect(registeredControllers()).toEqual([])
})

describe.runIf(hasPrograms('redis-server'))(
  'in a fleet, with the users of the demo (skipped without `redis-server`: Debian package redis-server)',
  () => {
    it('takes part in runs that are signed with the pinned key, says so in its log, and leaves when it closes', async () => {
      const work = await folder()
      const redis = await startFleetRedis('journal', work)
      onTestFinished(() => redis.stop())
      const key = writeKeyFiles(join(work, 'ops.pem'))
      stubFleet({
        CHAOS_FLEET: 'journal',
        CHAOS_FLEET_REDIS: redis.urlOf('agent'),
        CHAOS_FLEET_PUBLIC_KEY: join(work, 'ops.pem.pub'),
      })
      const lines = printedLines()
      const app = await start({ environment: 'development' }, wireChaos)
      const events = (): AgentEvent[] => lines.flatMap((line) => agentEventIn(line) ?? [])

      const operator = redisControllerTransport({ url: redis.urlOf('operator'), fleet: 'journal' })
      const settings = { fleet: 'journal', environment: 'development', by: 'a test' }
      const transport = (): ReturnType<typeof redisControllerTransport> =>
        redisControllerTransport({ url: redis.urlOf('controller'), fleet: 'journal' })
      const controller = fleetController({ ...settings, transport: transport(), key })
      const stranger = fleetController({ ...settings, transport: transport(), key: makeKey('ops') })
      onTestFinished(async () => {
        await Promise.all([controller.close(), stranger.close(), operator.disconnect()])
      })
      await operator.permit(60_000, 'operator', 'a test')
      await vi.waitFor(async () => expect(await operator.list()).toHaveLength(1))
      const target = 'eventbus[service=journal,share=1]'
      await expect(stranger.inject(target, 'delay-events', { delayMs: 1 })).rejects.toThrow(/signature/)
      expect(events()).toEqual([])

      const { id } = await controller.inject(target, 'delay-events', { delayMs: 1 })
      await vi.waitFor(() => expect(events().map(({ type }) => type)).toEqual(['applied']))
      app.bus.emit('system_tick', 0)
      await controller.stop(id)
      await vi.waitFor(() => expect(events().map(({ type }) => type)).toEqual(['applied', 'reverted']))
      const [applied, reverted] = events()
      expect(reverted).toMatchObject({ runId: applied?.runId, why: 'run-gone' })
      expect(reverted?.type === 'reverted' && reverted.hits).toBeGreaterThan(0)
      await app.close()
      expect((await operator.list()).filter(({ state }) => state !== 'leaving')).toEqual([])
    })

    it('lets nobody into its Redis without a user', async () => {
      const redis = await startFleetRedis('journal', await folder())
      onTestFinished(() => redis.stop())
      const nobody = redisControllerTransport({ port: redis.port, fleet: 'journal' })
      onTestFinished(() => nobody.disconnect())
      await expect(nobody.status()).rejects.toMatchObject({ code: 'CHAOS_FLEET_FORBIDDEN' })
    })
  },
)

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { hasPrograms, ownMosquitto, ownNats, ownRedis, type OwnServer } from '@chaos/test-servers'
import { expect, it } from 'vitest'
import { hasRabbitMq, RABBITMQ_URL } from '../../test/rabbitmq.js'

interface Row {
  readonly name: string
  readonly seam: string
  readonly fault: string
  readonly ending: string
  readonly held: number
  readonly account: Readonly<Record<'sent' | 'duplicated' | 'delivered' | 'dropped' | 'held', number>>
  readonly uncaught: readonly string[]
}

const servers = [
  ['nats', 'nats-server', ownNats],
  ['mosquitto', 'mosquitto', ownMosquitto],
  ['redis', 'redis-server', ownRedis],
] as const

// In its quick form, the soak would try what `npm test` has tried.
it.skipIf(process.env['CHAOS_SOAK'] === 'quick')(
  'ends no process, whatever is closed while messages are held, and accounts for each (clients whose servers are not installed are left out)',
  { timeout: 300_000 },
  async () => {
    const started: OwnServer[] = []
    const ports: Record<string, unknown> = hasRabbitMq ? { rabbitmq: RABBITMQ_URL } : {}
    try {
      for (const [name, program, start] of servers) {
        if (!hasPrograms(program)) continue
        const server = await start()
        started.push(server)
        ports[name] = server.port
      }
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [fileURLToPath(new URL('../../test/held/main.mjs', import.meta.url))],
        {
          env: { ...process.env, HELD_SERVERS: JSON.stringify(ports) },
          maxBuffer: 16 * 1024 * 1024,
        },
      )
      const rows = JSON.parse(stdout) as readonly Row[]
      expect(rows.length).toBeGreaterThan(50)
      const wrong = rows.filter(
        ({ account: { sent, duplicated, delivered, dropped, held: kept }, held, uncaught }) =>
          uncaught.length > 0 || held > 0 || kept > 0 || sent + duplicated !== delivered + dropped,
      )
      expect(wrong).toEqual([])
      // What was closed gets nothing more. Who awaits hears of it, by an answer that comes from the closed client.
      const corpses = rows.filter(
        ({ name, fault, account }) =>
          /channels|WebSocket|NATS|MQTT/.test(name) && /^(delay|partition|stall)/.test(fault) && account.delivered > 0,
      )
      expect(corpses).toEqual([])
    } finally {
      await Promise.all(started.map((server) => server.stop()))
    }
  },
)

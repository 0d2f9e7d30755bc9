import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { hasPrograms, ownMariaDb, ownPostgres, ownRedis, type OwnServer } from '@chaos/test-servers'
import { expect, it } from 'vitest'

interface Row {
  readonly name: string
  readonly fault: string
  readonly held: number
  readonly heard: string
  readonly lost: number
  readonly uncaught: readonly string[]
}

const servers = [
  ['redis', 'redis-server', ownRedis, (port: number): unknown => port],
  [
    'postgres',
    'postgres',
    ownPostgres,
    (port: number): unknown => ({ host: '127.0.0.1', port, user: 'root', database: 'postgres' }),
  ],
  ['mariadb', 'mariadbd', ownMariaDb, (port: number): unknown => ({ host: '127.0.0.1', port, user: 'root' })],
] as const

it(
  'ends no process, whatever is closed while calls are held, and leaves no caller without an answer (drivers whose servers are not installed are left out)',
  { timeout: 300_000 },
  async () => {
    const started: OwnServer[] = []
    const addresses: Record<string, unknown> = {}
    try {
      for (const [name, program, start, address] of servers) {
        if (!hasPrograms(program)) continue
        const server = await start()
        started.push(server)
        addresses[name] = address(server.port)
      }
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [fileURLToPath(new URL('./held/main.mjs', import.meta.url))],
        {
          env: { ...process.env, HELD_SERVERS: JSON.stringify(addresses) },
          maxBuffer: 16 * 1024 * 1024,
        },
      )
      const rows = JSON.parse(stdout) as readonly Row[]
      expect(rows.length).toBeGreaterThan(100)
      expect(rows.filter((row) => row.held > 0 || row.uncaught.length > 0 || row.heard === 'nothing yet')).toEqual([])
      const ofLevel = rows.filter(({ name }) => name.startsWith('level'))
      // What the caller of an operation of level hears that was held too long, and what became of copies that came too late.
      expect(
        new Set(ofLevel.filter(({ fault }) => fault === 'delay' || fault === 'hang').map(({ heard }) => heard)),
      ).toEqual(new Set(['LEVEL_DATABASE_NOT_OPEN']))
      expect(ofLevel.filter(({ fault, lost }) => fault === 'late copy' && lost !== 1)).toEqual([])
    } finally {
      await Promise.all(started.map((server) => server.stop()))
    }
  },
)

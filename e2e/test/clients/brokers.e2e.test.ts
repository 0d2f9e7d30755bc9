import { execFile } from 'node:child_process'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { hasPrograms, mockKafka } from '@chaos/test-servers'
import { expect, it, onTestFinished } from 'vitest'
import { expectTable } from '../../src/page-table.js'

/** What the caller of a publication and its span saw. */
interface Seen {
  readonly seen: string
  readonly span: 'none' | 'open' | 'ok' | 'failed'
}
interface Row {
  readonly name: string
  readonly mute: Seen
  readonly fault: Seen
  /** Whether the span of a delayed publication was as long as the delay. */
  readonly isLate: boolean
  /** The spans of a publication after the fault, during which the instrumentation was switched off and on. */
  readonly later: number
}

/** The brokers on loopback, on their usual ports. */
const BROKER_PORTS = { rabbitmq: 5672, nats: 4222, redis: 6379, mosquitto: 1883 }

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
const areListening =
  process.env['CHAOS_REQUIRE_SERVICES'] === 'all' ||
  (await Promise.all(Object.values(BROKER_PORTS).map(isListening))).every(Boolean)

/** What lies above and below the seam of each client. */
const SEAMS: Readonly<Record<string, readonly [above: string, below: string]>> = {
  'amqplib, channel': ['`publish`, OpenTelemetry', 'frames, heartbeats'],
  'amqplib, confirm channel': ['`publish`, `waitForConfirms`, OpenTelemetry', 'frames, heartbeats'],
  ioredis: ['`commandTimeout`, OpenTelemetry', 'reconnection, queue of unsent commands'],
  'node-redis': ['OpenTelemetry, the queue of commands, `timeout`, `socketTimeout`', 'the socket'],
  'NATS, request': ['`timeout` of `request`', 'pings, reconnection'],
  kafkajs: ['OpenTelemetry, `requestTimeout`, retries, `maxInFlightRequests`', 'reconnection'],
  'mqtt.js, QoS 0': ['`publish`, the queue for offline times', '`keepalive`, reconnection'],
  'mqtt.js, QoS 1': ['`publish`, the store and what it sends again, acknowledgements', '`keepalive`, reconnection'],
  ws: ['`send`, streams, `bufferedAmount`', 'frames, compression'],
}

const spanOf = ({ mute, fault, isLate }: Row): string => {
  if (mute.span === 'none') return 'no span'
  if (mute.span === 'ok') return fault.span === 'ok' ? 'span ends at once, as in health' : 'differs'
  return fault.span === 'failed' && isLate ? 'error and delay' : 'after the fault only'
}

it.runIf(areListening && hasPrograms('kcat'))(
  'shows the callers and spans of each client what a mute broker shows them (skipped without kcat, and RabbitMQ, NATS, Redis and Mosquitto on their usual ports)',
  async () => {
    const kafka = await mockKafka()
    onTestFinished(() => kafka.stop())
    const ports = { ...BROKER_PORTS, kafka: kafka.port }
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [fileURLToPath(new URL('brokers.cjs', import.meta.url))],
      { env: { ...process.env, BROKER_PORTS: JSON.stringify(ports) } },
    )
    const rows = JSON.parse(stdout) as readonly Row[]
    // Nothing is doubled or lost once the instrumentation was switched off and on.
    expect(rows.filter(({ mute, later }) => later !== (mute.span === 'none' ? 0 : 1))).toEqual([])
    expectTable('docs/seams.md', 'brokers', [
      [
        'Client',
        'Above the seam',
        'Below the seam',
        'A mute broker',
        'The fault',
        'Alike',
        'OpenTelemetry under the fault',
      ],
      ...rows.map((row) => [
        row.name,
        ...(SEAMS[row.name] ?? []),
        row.mute.seen,
        row.fault.seen,
        row.mute.seen === row.fault.seen ? 'yes' : 'no',
        spanOf(row),
      ]),
    ])
  },
)

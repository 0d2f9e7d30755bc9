import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'
import { expectTable } from '../../src/page-table.js'

/** What the caller of a request and its spans saw. */
interface Seen {
  readonly seen: string
  /** The error and its causes, each with its code and what the system says of it. */
  readonly details: readonly unknown[]
  /** The client's spans, one for each attempt. */
  readonly spans: readonly string[]
  readonly failed: number
  /** Whether a span lasted at least half the timeout, or the delay of a fault that delays. */
  readonly isDelayed: boolean
}
type Arm = Readonly<Record<string, Seen>>

/** A call while the instrumentation and a delay were on or off. */
interface Switched {
  readonly isOn: boolean
  readonly isFaulty: boolean
  readonly spans: number
  /** The server's spans that continue those of the client. */
  readonly served: number
  readonly isDelayed: boolean
}
interface Run {
  readonly switched: Readonly<Record<string, readonly Switched[]>>
  /** What the instrumentation and the faults replaced and did not put back. */
  readonly leftovers: readonly string[]
}
interface Comparison extends Run {
  readonly mute: Arm
  readonly hung: Arm
  readonly dead: Arm
  readonly refused: Arm
  readonly unavailable: Arm
  readonly answered: Arm
}

/** What lies above and below the seam of each client. */
const SEAMS: Readonly<Record<string, readonly [above: string, below: string]>> = {
  'node:http': ['`timeout` of the request and its agent, the agent, OpenTelemetry', 'the bytes on the connection'],
  'node:http, fault at the server': [
    'the handler, OpenTelemetry at the server',
    'parsing, `headersTimeout`, `requestTimeout`; all of the client',
  ],
  fetch: ['its signal, interceptors and pool of undici, OpenTelemetry', 'the bytes on the connection'],
  undici: ['`headersTimeout`, interceptors, the pool, OpenTelemetry', 'the bytes on the connection'],
  'undici, RetryAgent': ['retries, and as undici', 'the bytes on the connection'],
  axios: ['`timeout`, interceptors, redirects, and as node:http', 'the bytes on the connection'],
  got: ['`timeout`, `retry`, hooks, redirects, and as node:http', 'the bytes on the connection'],
  ky: ['`timeout`, `retry`, hooks, and as fetch', 'the bytes on the connection'],
}

let early: Comparison
let late: Run
beforeAll(async () => {
  const run = async (...args: readonly string[]): Promise<string> => {
    const script = fileURLToPath(new URL('http.cjs', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { maxBuffer: 16 * 1024 * 1024 })
    return stdout
  }
  const [first, second] = await Promise.all([run(), run('late')])
  early = JSON.parse(first) as Comparison
  late = JSON.parse(second) as Run
})

/** Whether the caller of a client saw the same error, after as many attempts. */
const alike = (outage: Seen, fault: Seen): string => {
  const isSame = JSON.stringify([outage.seen, outage.details]) === JSON.stringify([fault.seen, fault.details])
  const counts = `${outage.spans.length} attempts, under the fault ${fault.spans.length}`
  if (outage.spans.length !== fault.spans.length) return `no: ${counts}`
  return isSame ? 'yes' : 'no: another error'
}
const spanOf = ({ spans, failed, isDelayed }: Seen): string => {
  if (spans.length === 0) return 'no span'
  const parts = [failed === spans.length ? 'error' : '', isDelayed ? 'delay' : ''].filter(Boolean)
  return parts.length === 0 ? 'neither' : parts.join(' and ')
}
const both = (one: string, other: string): string => (one === other ? one : `${one}; the fault: ${other}`)
/** Whether each call has one span at each side while the instrumentation is on, and none while it is off. */
const isCounted = ({ isOn, isFaulty, spans, served, isDelayed }: Switched): boolean =>
  spans === Number(isOn) && served === Number(isOn) && (!isOn || !isFaulty || isDelayed)

it('shows the caller of each client the error of the outage, with its causes, after as many attempts', () => {
  const pairs = [
    [early.mute, early.hung],
    [early.dead, early.refused],
    [early.unavailable, early.answered],
  ] as const
  for (const name of Object.keys(SEAMS))
    for (const [outage, fault] of pairs) {
      expect(fault[name]?.details, name).toEqual(outage[name]?.details)
      expect(fault[name]?.seen, name).toBe(outage[name]?.seen)
      expect(fault[name]?.spans, name).toEqual(outage[name]?.spans)
    }
})

it('leaves one span for each call, whenever the instrumentation is switched on or off around a fault', () => {
  for (const { switched } of [early, late]) {
    expect(Object.keys(switched).sort()).toEqual(Object.keys(SEAMS).sort())
    for (const [name, calls] of Object.entries(switched))
      expect(
        calls.filter((call) => !isCounted(call)),
        name,
      ).toEqual([])
  }
})

it('leaves the functions that it and the instrumentation replace as they were', () => {
  expect([early.leftovers, late.leftovers]).toEqual([[], []])
})

it('compares each client before an outage and under the fault that stands for it', () => {
  const rows = Object.entries(SEAMS).map(([name, seams]) => {
    const arms = [early.mute, early.hung, early.dead, early.refused, early.unavailable, early.answered]
    const [mute, hung, dead, refused, unavailable, answered] = arms.map((arm) => arm[name])
    if (!mute || !hung || !dead || !refused || !unavailable || !answered) throw new Error(`No results of ${name}.`)
    const calls = [early, late].flatMap(({ switched }) => switched[name] ?? [])
    return [
      name,
      ...seams,
      mute.seen,
      hung.seen,
      alike(mute, hung),
      alike(dead, refused),
      alike(unavailable, answered),
      both(spanOf(mute), spanOf(hung)),
      calls.every(isCounted) ? 'one span a call' : 'differs',
    ]
  })
  expectTable('docs/seams.md', 'http', [
    [
      'Client',
      'Above the seam',
      'Below the seam',
      'A mute server',
      '`hangRequests`',
      'Alike',
      'A dead port and `refuseConnections` alike',
      'A real 503 and `answerRequests` alike',
      'Span before a mute server and under the fault',
      'OpenTelemetry switched during the fault',
    ],
    ...rows,
  ])
})

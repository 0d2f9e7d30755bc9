import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ControlClient } from '@chaos/control'
import { ChaosError, type InjectionState, type JournalEntry } from '@chaos/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { main, type Io } from '../src/index.js'

/** Clears the screen, sets a title, colours, reorders, and begins a line that looks like ours. */
const HOSTILE = 'x\n\u001b[2J\u001b]0;title\u0007\u009b31m\u202egnp\u2028pass: all is well\r\u0000\u007f\u{e0041}\u200b'
// eslint-disable-next-line no-control-regex -- what a terminal might obey; a line feed ends what is printed and is in nothing of it
const OBEYED = /[\u0000-\u001f\u007f-\u009f\p{Cf}\u2028\u2029]/u

const state = {
  id: HOSTILE,
  fault: HOSTILE,
  kind: 'standing',
  target: HOSTILE,
  options: { [HOSTILE]: HOSTILE },
  seed: HOSTILE,
  status: 'active',
  outcome: HOSTILE,
  armedAt: 0,
  leaseMs: 1,
  leaseEndsAt: 1,
  landedAt: undefined,
  endedAt: undefined,
  seen: 1,
  affected: 1,
  passed: 0,
  held: 1,
  queued: 0,
  account: { [HOSTILE]: 1 },
  evidence: [{ [HOSTILE]: HOSTILE }],
  failures: [HOSTILE],
} as unknown as InjectionState
const ended = { ...state, status: 'ended' } as InjectionState

const entries: readonly JournalEntry[] = [
  { type: 'armed', at: 1e300, injection: state },
  { type: 'ended', at: 0, injection: ended },
  { type: 'hit', at: 0, id: HOSTILE, operation: HOSTILE, call: 1 },
  { type: 'warning', at: 0, id: HOSTILE, message: HOSTILE },
]

/** A process that says nothing but hostile things. */
function hostileClient(): ControlClient {
  let follow: (entry: JournalEntry) => void = () => undefined
  return {
    info: () => Promise.resolve({ environment: HOSTILE, refusal: undefined, seed: HOSTILE, maxLeaseMs: 1, now: 0 }),
    targets: () =>
      Promise.resolve([
        { name: 'bus', faults: ['a/b'] },
        { name: HOSTILE, faults: [HOSTILE, HOSTILE] },
      ]),
    faults: () =>
      Promise.resolve([
        {
          name: 'a/b',
          kind: 'standing',
          summary: HOSTILE,
          options: {
            type: 'object',
            properties: {
              [HOSTILE]: { type: HOSTILE, description: HOSTILE, default: HOSTILE },
              odd: null,
              none: { enum: [HOSTILE, { toString: null }] },
            },
            required: HOSTILE,
          },
        },
        { name: HOSTILE, kind: 'instant', summary: HOSTILE, options: { properties: HOSTILE } },
      ]),
    injections: () => Promise.resolve([state, ended]),
    mintScope: () => Promise.resolve({ id: HOSTILE, header: HOSTILE, expiresAt: 1e300 }),
    inject: () => Promise.resolve(ended),
    check: () => Promise.reject(new ChaosError('CHAOS_INVALID_OPTION', HOSTILE)),
    injectAll: () => Promise.reject(new ChaosError('CHAOS_INVALID_OPTION', HOSTILE)),
    renew: () => Promise.resolve(state),
    audit: () =>
      Promise.resolve([
        { at: Number.NaN, operation: HOSTILE, by: HOSTILE, actor: HOSTILE, status: 200, ids: [HOSTILE] },
      ]),
    stop: () => Promise.reject(new ChaosError('CHAOS_UNKNOWN_INJECTION', HOSTILE)),
    stopAll: () => Promise.resolve({ stopped: [state] }),
    follow: (listener) => {
      follow = listener
      return () => undefined
    },
    onAppEvent: (listener) => {
      queueMicrotask(() => {
        for (const entry of entries) follow(entry)
        listener({ topic: HOSTILE, at: Number.NaN, data: { [HOSTILE]: HOSTILE, deep: { [HOSTILE]: HOSTILE } } })
      })
      return () => undefined
    },
    droppedHits: 0,
    closed: new Promise(() => undefined),
    close: () => Promise.resolve(),
  }
}

function io(
  client: ControlClient,
  signal = new AbortController().signal,
  env: NodeJS.ProcessEnv = {},
): Io & { readonly printed: string[] } {
  const printed: string[] = []
  const say = (text: string): void => void printed.push(text)
  return {
    printed,
    out: say,
    err: say,
    isTerminal: false,
    env,
    signal,
    discover: () => Promise.resolve([{ pid: 1, name: HOSTILE, socketPath: HOSTILE, startedAt: 0, targets: [] }]),
    connect: () => Promise.resolve(client),
  }
}

it('stops the others at once where one of several injections is long in ending', async () => {
  const asked: string[] = []
  let end: (state: InjectionState) => void = () => undefined
  const stop = (id: string): Promise<InjectionState> => {
    asked.push(id)
    return id === 'slow' ? new Promise((resolve) => (end = resolve)) : Promise.resolve({ ...ended, id })
  }
  const used = io({ ...hostileClient(), stop })
  const stopping = main(['stop', 'slow', 'quick'], used)
  await vi.waitFor(() => expect(asked).toEqual(['slow', 'quick']))
  end({ ...ended, id: 'slow' })
  expect(await stopping).toBe(0)
  expect(used.printed.map((line) => line.split(':')[0])).toEqual(['slow', 'quick'])
})

describe('what a peer says', () => {
  it.each([
    [['targets']],
    [['faults']],
    [['status', '--all']],
    [['renew', 'x', '--for', '1s']],
    [['audit']],
    [['stop', '--all']],
    [['scope']],
    [['scope', HOSTILE]],
    [['stop', HOSTILE]],
    [['inject', 'bus', 'b']],
    [['inject', 'bus', 'b', '--help']],
    [['inject', 'bus', 'b', '--dry-run']],
    [['inject', 'bus', 'b', `--${HOSTILE}`]],
    [['inject', HOSTILE, 'b']],
    [['inject', 'bus', HOSTILE]],
    [['status', '--name', 'other']],
    [['status', `--${HOSTILE}`]],
    [[HOSTILE]],
  ])('is shown and not obeyed by a terminal: %j', async (argv) => {
    const used = io(hostileClient())
    await main(argv, used)
    expect(used.printed.join('')).not.toBe('')
    for (const line of used.printed) expect(line).not.toMatch(OBEYED)
    expect(used.printed.filter((line) => line.startsWith('pass:'))).toEqual([])
  })

  it('is shown and not obeyed while it is watched', async () => {
    const abort = new AbortController()
    const used = io(hostileClient(), abort.signal)
    const watching = main(['watch', '--hits'], used)
    await vi.waitFor(() => expect(used.printed).toHaveLength(entries.length + 1))
    abort.abort()
    expect(await watching).toBe(0)
    for (const line of used.printed) expect(line).not.toMatch(OBEYED)
  })

  it('is shown and not obeyed in colour, where our own escape sequences are all there are', async () => {
    const used = io(hostileClient(), undefined, { FORCE_COLOR: '1' })
    await main(['stop', HOSTILE], used)
    const [error = ''] = used.printed
    expect(error.startsWith('\u001b[31merror\u001b[39m: x')).toBe(true)
    // eslint-disable-next-line no-control-regex -- our own colours
    expect(used.printed.join('').replace(/\u001b\[(?:1|22|31|39)m/g, '')).not.toMatch(OBEYED)
  })

  it('stays what it is in JSON, with nothing that a terminal obeys', async () => {
    for (const argv of [
      ['targets'],
      ['faults'],
      ['status', '--all'],
      ['stop', '--all'],
      ['scope'],
      ['inject', 'bus', 'b'],
    ]) {
      const used = io(hostileClient())
      expect(await main([...argv, '--json'], used)).toBe(0)
      const [document = ''] = used.printed
      expect(document.replaceAll('\n', '')).not.toMatch(OBEYED)
      expect(JSON.stringify(JSON.parse(document))).toContain(JSON.stringify(HOSTILE).slice(1, -1))
    }
  })

  it('is shown and not obeyed in the progress and the report of a run', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chaos-hostile-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const file = join(folder, 'hostile.mjs')
    await writeFile(
      file,
      `export default { title: ${JSON.stringify(HOSTILE)}, steadyState: { holdForMs: 0, timeoutMs: 50, probes: [{ name: ${JSON.stringify(HOSTILE)}, type: 'function', read: () => 2, tolerance: { equals: 1 } }] }, method: [{ inject: { target: 'bus', fault: 'b', leaseMs: 100 } }] }`,
    )
    const used = io(hostileClient())
    await main(['run', file], used)
    expect(used.printed.length).toBeGreaterThan(1)
    for (const line of used.printed) expect(line).not.toMatch(OBEYED)
  })

  it('is an error of one line where a module throws what cannot be read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chaos-hostile-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    for (const [name, thrown] of [
      ['null', 'Object.create(null)'],
      ['revoked', '(({ proxy, revoke }) => (revoke(), proxy))(Proxy.revocable({}, {}))'],
      ['symbol', 'Symbol("x")'],
    ] as const) {
      const file = join(folder, `${name}.mjs`)
      await writeFile(file, `export default () => { throw ${thrown} }`)
      const used = io(hostileClient())
      expect(await main(['run', file], used)).toBe(2)
      expect(used.printed.filter((line) => line.startsWith('error: '))).toHaveLength(1)
    }
  })

  it('is cut where it is endless', async () => {
    const endless = 'y'.repeat(5_000_000)
    const used = io({ ...hostileClient(), targets: () => Promise.resolve([{ name: endless, faults: [endless] }]) })
    expect(await main(['targets'], used)).toBe(0)
    expect(used.printed.join('').length).toBeLessThan(50_000)
  })
})

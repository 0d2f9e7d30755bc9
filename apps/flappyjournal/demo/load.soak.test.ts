import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { SECRET, start } from '../test/start.js'
import { startLoad, type Load, type LoadReport } from './load.js'
import { fakeJournal, type FakeJournal, type Sabotage } from './load/fake-journal.js'
import { KINDS, type Kind } from './load/report.js'

async function loadOn(url: string, options: Partial<Parameters<typeof startLoad>[0]> = {}): Promise<Load> {
  const load = await startLoad({ url, secret: SECRET, users: 4, paceMs: 40, listEveryMs: 100, ...options })
  onTestFinished(() => load.stop())
  return load
}

/** A journal that is sabotaged once the load is well under way, and its load. */
async function sabotaged(
  sabotage: Sabotage,
  options: Partial<Parameters<typeof startLoad>[0]> = {},
): Promise<{ load: Load; journal: FakeJournal }> {
  const journal = await fakeJournal()
  onTestFinished(() => journal.close())
  const load = await loadOn(journal.url, options)
  await vi.waitFor(() => expect(load.report().acknowledged).toBeGreaterThan(8))
  expect(countsOf(load.report())).toEqual({})
  journal.sabotage = sabotage
  return { load, journal }
}

/** The counts that are not zero. */
function countsOf(report: LoadReport): Partial<Record<Kind, number>> {
  return Object.fromEntries(KINDS.filter((kind) => report[kind] > 0).map((kind) => [kind, report[kind]]))
}

/** Waits, without a look, until one kind is found. @returns An offender of which the words match. */
async function found(load: Load, kind: Kind, words: RegExp): Promise<void> {
  await vi.waitFor(() => {
    const report = load.report()
    expect(report[kind], JSON.stringify(report)).toBeGreaterThan(0)
    expect(report.offenders).toContainEqual(expect.stringMatching(words))
  })
}

/** Every n-th of what it is given. */
const every = (n: number): (() => boolean) => {
  let count = 0
  return () => (count += 1) % n === 0
}

describe('the load', () => {
  it('finds nothing wrong with a correct journal, however many entries come while it looks', async () => {
    const app = await start()
    const load = await loadOn(app.url, { users: 10, paceMs: 200, listEveryMs: 500, requestTimeoutMs: 45_000 })
    await vi.waitFor(() => expect(load.report().acknowledged).toBeGreaterThan(40))
    for (let acknowledged = 0; acknowledged < 120;) {
      const before = load.report().acknowledged
      const looked = await load.look()
      ;({ acknowledged } = looked)
      expect(countsOf(looked), looked.offenders.join('\n')).toEqual({})
      expect(looked.verified).toBeGreaterThanOrEqual(before)
    }
  })

  it('serves reports whose numbers are all finite and count up, and the look only when asked', async () => {
    const { load } = await sabotaged({})
    const read = async (query = ''): Promise<LoadReport> =>
      (await fetch(load.url + query)).json() as Promise<LoadReport>
    const first = await read()
    const { at, offenders, ...numbers } = first
    expect([Math.abs(at - Date.now()) < 5_000, offenders, first.verified]).toEqual([true, [], 0])
    for (const [name, value] of Object.entries(numbers)) expect(Number.isFinite(value) && value >= 0, name).toBe(true)
    const looked = await read('/?look')
    expect(looked.verified).toBeGreaterThanOrEqual(first.acknowledged)
    expect(looked.requests).toBeGreaterThan(first.requests)
    expect((await read()).verified).toBe(looked.verified)
  })

  it('says how late its own event loop was at worst, once', async () => {
    const { load } = await sabotaged({})
    const ownDelay = async (): Promise<number> => ((await (await fetch(load.url)).json()) as LoadReport).ownDelayMs
    await ownDelay()
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000)
    const stall = await ownDelay()
    expect(stall).toBeGreaterThan(1_500)
    expect(await ownDelay()).toBeLessThan(stall)
  })

  it('goes on sending when nothing is answered, and knows how old its requests are', async () => {
    const { load } = await sabotaged({ refuse: ({ method }) => (method === 'POST' ? 'hang' : undefined) })
    const { acknowledged, requests } = load.report()
    await vi.waitFor(() => {
      const report = load.report()
      expect(report.underWay).toBeGreaterThan(20)
      expect(report.oldestUnderWayMs).toBeGreaterThan(300)
      expect(report.requests - requests).toBeGreaterThan(40)
      expect(report.acknowledged - acknowledged).toBeLessThan(10)
    })
  })

  it('counts a request that had no answer in time as failed', async () => {
    const { load } = await sabotaged(
      { refuse: ({ method }) => (method === 'POST' ? 'hang' : undefined) },
      { requestTimeoutMs: 2_000 },
    )
    await found(load, 'failed', /^POST \/api\/journal had no answer/)
  })

  it('counts each offender once, however often it looks, and names those of a later look', async () => {
    const { load, journal } = await sabotaged({ store: () => [] })
    await found(load, 'lost', /acknowledged and not/)
    journal.sabotage = {}
    await load.look()
    const { lost } = await load.look()
    expect((await load.look()).lost).toBe(lost)
    expect((await load.look()).offenders.filter((words) => words.includes('acknowledged and not'))).toEqual([])
  })
})

describe('the load shows that a journal', () => {
  it.each<[string, Sabotage, Kind, RegExp]>([
    ['refuses every token', { refuse: () => 401 }, 'rejected', /was answered with 401$/],
    ['has too many requests', { refuse: () => 429 }, 'rejected', /was answered with 429$/],
    [
      'fails',
      { refuse: ({ method }) => (method === 'POST' ? 500 : undefined) },
      'failed',
      /^POST \/api\/journal was answered with 500$/,
    ],
    ['answers 200 without an entry', { acknowledge: () => null }, 'failed', /without an id: null$/],
    ['loses entries', { store: () => [] }, 'lost', /^entry .{8}… \(".+"\): acknowledged and not (there|in the list)$/],
    ['leaves entries out of the list', { list: (entries) => entries.slice(0, -5) }, 'lost', /not in the list$/],
    ['has an empty list', { list: () => [] }, 'lost', /not in the list$/],
    ['has no list', { list: () => ({}) }, 'failed', /\{\}, which is no list$/],
    [
      'damages the content',
      { store: (entry) => [{ ...entry, content: entry.content.slice(0, 7) }] },
      'damaged',
      /^entry .{8}…: content is "Entry (\d)?" instead of "Entry \d+ of user-\d\."$/,
    ],
    [
      'damages the title',
      { store: (entry) => [{ ...entry, title: 'Title' }] },
      'damaged',
      /: title is "Title" instead of "user-/,
    ],
    [
      'damages the tags',
      { store: (entry) => [{ ...entry, tags: [] }] },
      'damaged',
      /: tags is \[\] instead of \["load",/,
    ],
    [
      'damages the mood',
      { store: (entry) => [{ ...entry, mood: 'gloomy' }] },
      'damaged',
      /: mood is "gloomy" instead of/,
    ],
    [
      'damages a time',
      { store: (entry) => [{ ...entry, createdAt: '1970' }] },
      'damaged',
      /: createdAt is "1970" instead of/,
    ],
    [
      'forgets a field',
      { store: ({ mood: _mood, ...entry }) => [entry as never] },
      'damaged',
      /: mood is nothing instead of/,
    ],
    ['adds a field', { store: (entry) => [{ ...entry, spare: 1 }] }, 'damaged', /: spare is 1 instead of nothing/],
    [
      'acknowledges something else',
      { acknowledge: (entry) => ({ ...entry, content: '' }) },
      'damaged',
      /: content is "" instead of/,
    ],
    [
      'damages the list only',
      { list: (entries) => entries.map((entry) => ({ ...entry, mood: '?' })) },
      'damaged',
      /: mood is "\?" instead of/,
    ],
    ['reads null', { read: () => null }, 'damaged', /: it is null$/],
    ['stores an entry twice', { store: (entry) => [entry, entry] }, 'duplicated', /: 2 times in the list$/],
    [
      'stores an entry again under another id',
      { store: (entry) => [entry, { ...entry, id: `${entry.id}-again` }] },
      'duplicated',
      /: the list holds it again as entry/,
    ],
    [
      'gives two writes one id',
      { acknowledge: (entry) => ({ ...entry, id: 'one' }), store: (entry) => [{ ...entry, id: 'one' }] },
      'duplicated',
      /: two writes were given this id$/,
    ],
    ['pushes twice', { push: (message) => [message, message] }, 'duplicated', /: pushed more than once$/],
    ['pushes nothing', { push: () => [] }, 'undelivered', /: not pushed within 500 ms$/],
    ['pushes no JSON', { push: () => ['{'] }, 'damaged', /^the push "\{" is no JSON$/],
    [
      'pushes without an id',
      { push: () => ['{"event":"journal:changed","payload":{"method":"POST"}}'] },
      'damaged',
      /names no entry$/,
    ],
    [
      'pushes changes that nobody made',
      { push: (message) => [message, message.replace('POST', 'DELETE')] },
      'damaged',
      /: pushed as "DELETE", though nobody changed it$/,
    ],
  ])('%s', async (_title, sabotage, kind, words) => {
    // A short time for pushes only where one must be late: a machine that stalls for as long makes others late too.
    const { load } = await sabotaged(sabotage, kind === 'undelivered' ? { pushWithinMs: 500 } : {})
    await found(load, kind, words)
  })

  it('drops every fifth push', async () => {
    const isDropped = every(5)
    const { load } = await sabotaged({ push: (message) => (isDropped() ? [] : [message]) }, { pushWithinMs: 500 })
    await found(load, 'undelivered', /not pushed within/)
  })

  it('pushes in another order', async () => {
    let held: string[] = []
    const { load } = await sabotaged({
      push(message) {
        held.push(message)
        if (held.length < 8) return []
        const all = held.reverse()
        held = []
        return all
      },
    })
    await found(load, 'reordered', /: pushed after an entry that was written later$/)
  })

  it('refuses WebSocket connections, or hangs up', async () => {
    const { load, journal } = await sabotaged({ isDeaf: true })
    journal.hangUp()
    await found(load, 'undelivered', /^the WebSocket listener lost its connection: closed with 1001$/)
    await found(load, 'undelivered', /^the WebSocket listener could not connect: .*503/)
  })

  it('hangs during its look', async () => {
    const { load, journal } = await sabotaged({}, { lookTimeoutMs: 300 })
    journal.sabotage = { refuse: () => 'hang' }
    const { verified, underWay } = await load.look()
    expect([verified, underWay > 3]).toEqual([0, true])
  })

  it('is down for its look', async () => {
    const { load, journal } = await sabotaged({})
    const { verified } = await load.look()
    expect(verified).toBeGreaterThan(8)
    journal.sabotage = { refuse: () => 503 }
    expect((await load.look()).verified).toBe(0)
  })
})

import { createApi, RequestError } from './data/request.js'
import { followStream } from './data/stream.js'
import type {
  ControllerInfo,
  FaultInfo,
  InjectionRequest,
  InjectionState,
  StopReport,
  TargetInfo,
} from './data/types.js'
import { takeOverForm } from './form/form.js'
import { trackInjections } from './model/injections.js'
import { timelineRecord } from './model/record.js'
import { clockTime } from './model/times.js'
import { exportedFile } from './timeline/export.js'
import { takeOverTimeline } from './timeline/timeline.js'
import { setText } from './view/dom.js'
import { takeOverHeader, type Connection } from './view/header.js'
import { takeOverInjections } from './view/injections.js'
import { takeOverTargets } from './view/targets.js'

/** How often the counts are read while something is in force, in ms, and the list of targets otherwise. */
const READ_EVERY_MS = 1_000
const LOOK_EVERY_MS = 10_000
/** How often what counts down is drawn, in ms. */
const DRAW_EVERY_MS = 500
const DRAW_TIMELINE_EVERY_MS = 1_000
/** What Renew adds to a lease, in ms. */
const RENEW_MS = 30_000

/** Takes over the regions of the page that the server wrote. Does nothing on the sign-in form. */
export function startPage(page: Document): void {
  const [header, targetList, main, aside, section, status] = [
    'chaos-header',
    'chaos-targets',
    'chaos-injections',
    'chaos-form',
    'chaos-timeline',
    'chaos-status',
  ].map((id) => page.getElementById(id))
  if (!header || !targetList || !main || !aside || !section || !status) return
  const say = (text: string): void => setText(status, text)

  const base = new URL('.', page.querySelector<HTMLScriptElement>('script[src$="page.js"]')?.src ?? page.baseURI)
  const address = base.href.replace(/\/$/, '')
  const name = metaOf(page, 'chaos-name') ?? 'this process'
  const pid = metaOf(page, 'chaos-pid') ?? 'unknown'
  const api = createApi(address, metaOf(page, 'chaos-csrf') ?? '', () => location.reload())

  const injections = trackInjections()
  const record = timelineRecord()
  let info: ControllerInfo | undefined
  let connection: Connection = { state: 'connecting' }
  let stream: string | undefined
  let canRenew = false
  let clockAheadMs = 0
  let readAt = Date.now()
  let lookedAt = 0
  let drawnAt = 0
  let isReading = false
  /** The time of the process: all times of its injections are of its clock. */
  const now = (): number => Date.now() + clockAheadMs

  followWidth(main, targetList)
  const top = takeOverHeader(header, name, pid, () => void stopAll())
  const cards = takeOverInjections(main, {
    now,
    stop: (id) => void act(() => api.remove(injectionPath(id)), `Stopped ${id}.`),
    renew: (id) => void renew(id),
  })
  const form = takeOverForm(aside, {
    inject,
    check: (request) => api.post('/checks', request),
    mint: () => api.post('/scopes', {}),
    connection: () => stream,
    place: placeOf(page, address),
  })
  const targets = takeOverTargets(targetList, (target, fault) => form.choose(target, fault))
  const timeline = takeOverTimeline(section, { record, now, save })

  function draw(): void {
    const { live, ended } = injections
    const isLive = connection.state === 'live'
    top.update({ inForce: live.length, environment: info?.environment, refusal: info?.refusal, connection })
    cards.update({ live, ended }, { isLive, canRenew })
    page.documentElement.dataset['connection'] = connection.state
  }

  function drawTimeline(): void {
    drawnAt = Date.now()
    timeline.update()
  }

  async function inject(request: InjectionRequest): Promise<void> {
    const state = await api.post<InjectionState>('/injections', request)
    say(`Injected ${state.fault} on ${state.target}.`)
    await read()
  }

  async function renew(id: string): Promise<void> {
    const state = injections.live.find((tracked) => tracked.state.id === id)?.state
    if (state === undefined) return
    // The new lease counts from now, and no lease is longer than the process allows.
    const leaseMs = Math.min(Math.max(0, state.leaseEndsAt - now()) + RENEW_MS, info?.maxLeaseMs ?? Infinity)
    await act(() => api.post(`${injectionPath(id)}/renewals`, { leaseMs }), `Renewed ${id}.`)
  }

  async function stopAll(): Promise<void> {
    await act(async () => {
      const { stopped } = await api.remove<StopReport>('/injections')
      const failed = stopped.filter(({ failures }) => failures.length > 0).length
      const what = stopped.length === 0 ? 'Nothing was in force.' : `Stopped ${stopped.length}.`
      say(failed === 0 ? what : `${what} ${failed} could not be undone in full.`)
    })
  }

  /** Does something at the press of a button, and says how it went. */
  async function act(work: () => Promise<unknown>, done?: string): Promise<void> {
    try {
      await work()
      if (done !== undefined) say(done)
    } catch (error) {
      say(`Failed: ${error instanceof Error ? error.message : String(error)}`)
    }
    await read()
  }

  /** Reads what is in force, with its counts. */
  async function read(): Promise<void> {
    if (isReading) return
    isReading = true
    try {
      const states = await api.get<readonly InjectionState[]>('/injections')
      injections.replace(states)
      record.takeStates(states)
      readAt = Date.now()
      if (stream !== undefined) connected()
    } catch (error) {
      if (!(error instanceof RequestError) || error.status === 0) lost()
    } finally {
      isReading = false
    }
    draw()
  }

  /** Reads what can be broken: the app may add targets at any time. */
  async function look(): Promise<void> {
    lookedAt = Date.now()
    try {
      const [nowInfo, nowTargets, faults] = await Promise.all([
        api.get<ControllerInfo>('/info'),
        api.get<readonly TargetInfo[]>('/targets'),
        api.get<readonly FaultInfo[]>('/faults'),
      ])
      take(nowInfo)
      targets.update(nowTargets, faults)
      form.update(nowTargets, faults)
    } catch {
      // `read` finds out whether the process answers.
    }
  }

  function take(nowInfo: ControllerInfo): void {
    info = nowInfo
    if (nowInfo.now !== undefined) clockAheadMs = nowInfo.now - Date.now()
  }

  function connected(): void {
    if (connection.state === 'lost') {
      say('Connected again.')
      record.note(now(), 'connected again')
    }
    connection = { state: 'live' }
  }

  function lost(): void {
    if (connection.state === 'lost') return
    say('Not connected.')
    record.note(now(), 'lost the connection')
    connection = { state: 'lost', since: clockTime(readAt + clockAheadMs) }
  }

  async function save(): Promise<void> {
    const css = await (await fetch(`${address}/page.css`)).text()
    const text = exportedFile(record, { name, pid, environment: info?.environment }, css, now())
    const link = page.createElement('a')
    link.href = URL.createObjectURL(new Blob([text], { type: 'text/html' }))
    link.download = `chaos-timeline-${new Date(now()).toISOString().replace(/[:.]/g, '-')}.html`
    link.click()
    // The browser has taken the content once the click is handled.
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
  }

  followStream(`${address.replace(/^http/, 'ws')}/events`, {
    onHello(id, nowInfo) {
      stream = id
      take(nowInfo)
      void Promise.all([look(), read(), findRenewals()]).then(draw)
    },
    onEntry(entry) {
      injections.take(entry)
      record.takeEntry(entry)
      if (entry.type !== 'hit') draw()
    },
    onAppEvent: (event) => record.takeAppEvent(event),
    onDropped: (hits) => record.note(now(), `${hits} hits came too fast to be listed`),
    onLost() {
      stream = undefined
      lost()
      draw()
      // Without a session, the answer leads to the sign-in form.
      void read()
    },
  })

  /** Whether the server can prolong a lease. */
  async function findRenewals(): Promise<void> {
    const { paths = {} } = await api.get<{ readonly paths?: object }>('/openapi.json')
    canRenew = '/injections/{id}/renewals' in paths
  }

  setInterval(() => {
    draw()
    if (Date.now() - drawnAt >= DRAW_TIMELINE_EVERY_MS) drawTimeline()
    const isQuiet = injections.live.length === 0
    if (page.hidden || stream === undefined) return
    if (Date.now() - readAt >= (isQuiet ? LOOK_EVERY_MS : READ_EVERY_MS)) void read()
    if (Date.now() - lookedAt >= LOOK_EVERY_MS) void look()
  }, DRAW_EVERY_MS)
  draw()
  drawTimeline()
}

/** On a phone, injections come before targets: in the document too, so that the focus goes the way that the eye goes. */
function followWidth(injections: HTMLElement, targets: HTMLElement): void {
  const isNarrow = matchMedia('(max-width: 999px)')
  const place = (): void => {
    if (isNarrow.matches) targets.before(injections)
    else targets.after(injections)
  }
  isNarrow.addEventListener('change', place)
  place()
}

const injectionPath = (id: string): string => `/injections/${encodeURIComponent(id)}`

const metaOf = (page: Document, name: string): string | undefined =>
  page.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content

/** How the `chaos` command reaches the process: as the server says, else by the address of the page. */
function placeOf(page: Document, address: string): readonly string[] {
  const words = JSON.parse(metaOf(page, 'chaos-command-options') ?? '[]') as readonly string[]
  return words.length > 0 ? words : ['--url', address]
}

import { el, setAttribute, setText } from './dom.js'

/** The state of the connection to the process. */
export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  /** What is on the page is of an earlier time. */
  | { readonly state: 'lost'; readonly since: string }

/** The top of the page. */
export interface Header {
  update(shown: {
    readonly inForce: number
    readonly environment: string | undefined
    readonly refusal: string | undefined
    readonly connection: Connection
  }): void
}

const CONNECTION_WORDS: Readonly<Record<Connection['state'], string>> = {
  connecting: 'connecting',
  live: 'connected',
  lost: 'not connected',
}

/** Takes over the header of the server. Its forms stay, and work as before if the script fails. */
export function takeOverHeader(region: HTMLElement, name: string, pid: string, onStopAll: () => void): Header {
  const stopAll = formOf(region, 'stop-all')
  const signOut = formOf(region, 'sign-out')
  const inForce = el('strong', { class: 'count' }, '…')
  const environment = el('span')
  const connection = el('span', { class: 'connection' }, 'connecting')
  const stale = el('p', { class: 'stale', role: 'alert' })
  const refusal = el('p', { class: 'refusal' })
  const heading = region.querySelector('h1') ?? el('h1', {}, `Chaos in ${name}`)

  if (stopAll !== null) {
    stopAll.classList.add('stop-all')
    stopAll.append(el('kbd', { id: 'stop-all-hint' }, 'Alt+Shift+S'))
    const press = stopAll.querySelector('button')
    if (press !== null) {
      press.setAttribute('aria-keyshortcuts', 'Alt+Shift+S')
      press.setAttribute('aria-describedby', 'stop-all-hint')
    }
    stopAll.addEventListener('submit', (event) => {
      event.preventDefault()
      onStopAll()
    })
    document.addEventListener('keydown', (event) => {
      if (!event.altKey || !event.shiftKey || event.code !== 'KeyS' || event.repeat) return
      event.preventDefault()
      onStopAll()
    })
  }
  region.replaceChildren(
    ...(stopAll === null ? [] : [stopAll]),
    el(
      'div',
      { class: 'about' },
      heading,
      el(
        'p',
        {},
        el('span', {}, `pid ${pid}`),
        el('span', {}, 'environment ', environment),
        el('span', { class: 'in-force' }, inForce, ' in force'),
        connection,
      ),
    ),
    ...(signOut === null ? [] : [signOut]),
    stale,
    refusal,
  )

  return {
    update(shown) {
      const { connection: now } = shown
      setText(environment, shown.environment ?? 'unknown')
      setText(inForce, now.state === 'live' ? String(shown.inForce) : '?')
      setText(connection, CONNECTION_WORDS[now.state])
      setAttribute(connection, 'data-state', now.state)
      setText(stale, now.state === 'lost' ? `Not connected: what you see is of ${now.since}. Connecting again …` : '')
      setText(refusal, shown.refusal === undefined ? '' : `New faults are refused: ${shown.refusal}`)
      document.title = `${now.state === 'live' ? `${shown.inForce} in force` : 'not connected'} – chaos in ${name}`
    },
  }
}

const formOf = (region: HTMLElement, action: string): HTMLFormElement | null =>
  region.querySelector<HTMLFormElement>(`form[action$="${action}"]`)

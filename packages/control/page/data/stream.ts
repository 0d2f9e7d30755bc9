import type { AppEvent, ControllerInfo, JournalEntry } from './types.js'

/** A message of the event stream. */
type Message =
  | { readonly type: 'hello'; readonly connection: string; readonly info: ControllerInfo }
  | { readonly type: 'entry'; readonly entry: JournalEntry }
  | { readonly type: 'app-event'; readonly event: AppEvent }
  | { readonly type: 'dropped'; readonly hits: number }

/** What the page does with the event stream. */
export interface StreamListeners {
  readonly onHello: (connection: string, info: ControllerInfo) => void
  readonly onEntry: (entry: JournalEntry) => void
  readonly onAppEvent: (event: AppEvent) => void
  /** Hits came faster than they could be sent. */
  readonly onDropped: (hits: number) => void
  /** The stream has ended. It is opened again later. */
  readonly onLost: () => void
}

/** The first and the longest pause before the stream is opened again, in ms. Each pause is twice the one before. */
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000

/** The pause before the n-th attempt in a row, in ms, from 0. */
export const pauseMs = (attempt: number): number => Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS)

/** Follows the event stream at an address such as `ws://127.0.0.1:3000/chaos/events`, and opens it again when it ends. */
export function followStream(url: string, listeners: StreamListeners): void {
  let attempt = 0

  function open(): void {
    const socket = new WebSocket(url, ['chaos.v1'])
    socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      const message = JSON.parse(String(data)) as Message
      if (message.type === 'hello') {
        attempt = 0
        listeners.onHello(message.connection, message.info)
      } else if (message.type === 'entry') listeners.onEntry(message.entry)
      else if (message.type === 'app-event') listeners.onAppEvent(message.event)
      else listeners.onDropped(message.hits)
    })
    socket.addEventListener('close', () => {
      listeners.onLost()
      setTimeout(open, pauseMs(attempt))
      attempt += 1
    })
  }
  open()
}

import { setTimeout as pause } from 'node:timers/promises'
import WebSocket from 'ws'
import type { Oracle } from './oracle.js'

/** Pause before a lost connection is opened again, in ms. */
const RECONNECT_MS = 500
/** Longest wait for a connection, in ms. */
const CONNECT_TIMEOUT_MS = 5_000

/** Listens to the journal's pushes and hands them to the oracle; a lost connection is counted and opened again. @returns Stops it. */
export function listen(url: string, token: string, oracle: Oracle): () => Promise<void> {
  const closing = new AbortController()
  let socket: WebSocket | undefined

  async function connection(): Promise<void> {
    const own = new WebSocket(`${url.replace(/^http/, 'ws')}/ws`, {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: CONNECT_TIMEOUT_MS,
    })
    socket = own
    const state = { happened: 'could not connect', why: '' }
    own.on('open', () => {
      state.happened = 'lost its connection'
      oracle.connected()
    })
    own.on('message', (data: Buffer) => oracle.pushed(data.toString('utf8')))
    own.on('error', ({ message }) => (state.why = message.slice(0, 100)))
    const code = await new Promise<number>((resolve) => void own.on('close', resolve))
    if (!closing.signal.aborted)
      oracle.disconnected(`${state.happened}: ${state.why === '' ? `closed with ${code}` : state.why}`)
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      await connection()
      await pause(RECONNECT_MS, undefined, { signal: closing.signal }).catch(() => undefined)
    }
  }
  const running = run()
  return async () => {
    closing.abort()
    socket?.terminate()
    await running
  }
}

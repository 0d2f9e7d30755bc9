import { createChaos, target } from '@chaos/core'
import { dropEvents } from '@chaos/eventbus'
import { once, EventEmitter } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import type { Case, Suite } from '../runner/case.js'

/** How long an app is watched, in ms: several reads of an agent. */
const WINDOW_MS = 2_000
const IDLE_POLL_MS = 250

/** The time of one turn of the event loop with a call in it, in ns. */
async function turnNs(): Promise<number> {
  const startedAt = process.hrtime.bigint()
  const until = startedAt + BigInt(WINDOW_MS * 1_000_000)
  let turns = 0
  let now = startedAt
  while (now < until) {
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    turns += 100
    now = process.hrtime.bigint()
  }
  return Number(now - startedAt) / turns
}

/** Compares an app that has joined a fleet whose Redis does not answer with the same app before and after. */
const unanswered = (
  name: string,
  serve: () => Promise<{ readonly port: number; readonly stop: () => void }>,
): Case => ({
  name,
  unit: 'ratio',
  bar: { most: 1.03 },
  processes: 2,
  async measure(rounds) {
    const { joinFleet } = await import('@chaos/fleet')
    const { port, stop } = await serve()
    const values: number[] = []
    for (let round = -1; round < rounds; round += 1) {
      const before = await turnNs()
      const chaos = createChaos({ environment: 'staging', targets: { bus: target(new EventEmitter(), [dropEvents]) } })
      const member = joinFleet(chaos, {
        redis: `redis://127.0.0.1:${port}`,
        fleet: 'shop',
        service: 'orders',
        keys: {},
        idlePollMs: IDLE_POLL_MS,
        handleSignals: false,
        log: () => undefined,
      })
      const joined = await turnNs()
      await member.leave()
      await chaos.close()
      const after = await turnNs()
      if (round >= 0) values.push((2 * joined) / (before + after))
    }
    stop()
    return { values }
  },
})

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A port that nothing listens at. */
async function nobody(): Promise<{ readonly port: number; readonly stop: () => void }> {
  const server = createServer()
  const port = await listening(server)
  server.close()
  return { port, stop: () => undefined }
}

/** A server that accepts, and says nothing. */
async function mute(): Promise<{ readonly port: number; readonly stop: () => void }> {
  const server = createServer((socket) => void socket.on('error', () => undefined).resume())
  const port = await listening(server)
  return { port, stop: () => void server.close().unref() }
}

export const fleetApp: Suite = {
  name: 'fleet-app',
  title: 'An application whose fleet does not answer',
  about: `A turn of the event loop of an application that has joined a fleet, against the same before it joins and after it has left. The agent asks every ${IDLE_POLL_MS} ms here, twenty times as often as by default.`,
  cases: [
    unanswered('nothing listens at the port of Redis', nobody),
    unanswered('Redis accepts, and says nothing', mute),
  ],
}

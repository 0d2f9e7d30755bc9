// What all apps of this folder do: they keep scores, and tell listeners of each. What can be broken is registered here.
import { EventEmitter } from 'node:events'
import { refuseCalls } from '@chaos/adapter'
import { createChaos, target } from '@chaos/core'
import { dropEvents } from '@chaos/eventbus'
import { WebSocketServer } from 'ws'

const kept = new Map()
const store = {
  async get(name) {
    return kept.get(name)
  },
  async set(name, score) {
    kept.set(name, score)
  },
}
const bus = new EventEmitter()

export const chaos = createChaos({
  targets: { store: target(store, [refuseCalls]), bus: target(bus, [dropEvents]) },
})
export const token = process.env.CHAOS_TOKEN
export const port = 0

/** @returns The status and the body of an answer. */
export async function find(name) {
  try {
    const score = await store.get(name)
    return score === undefined ? { status: 404, body: { error: 'unknown' } } : { status: 200, body: { name, score } }
  } catch (error) {
    return { status: 503, body: { error: error.code } }
  }
}

/** @returns How many listeners have heard of the score. */
export async function add({ name, score }) {
  await store.set(name, score)
  const news = { name, score, heard: 0 }
  bus.emit('score', news)
  return { heard: news.heard }
}

bus.on('score', (news) => {
  news.heard += 1
})

/** @param listener Gets each score as JSON. */
export function onScore(listener) {
  bus.on('score', ({ name, score }) => listener(JSON.stringify({ name, score })))
}

/** Sends each score to the WebSockets of the app, at `/live`. */
export function tellWebSockets(server) {
  const sockets = new WebSocketServer({ server, path: '/live' })
  onScore((score) => {
    for (const socket of sockets.clients) socket.send(score)
  })
}

/** Says where the server listens, and closes it when the app is told to end. */
export function announce(server, close = () => server.close()) {
  const say = () => console.log(JSON.stringify(server.address()))
  if (server.listening) say()
  else server.once('listening', say)
  process.once('SIGTERM', close)
}

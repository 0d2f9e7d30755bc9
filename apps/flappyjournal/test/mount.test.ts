import { once } from 'node:events'
import { connect } from '@chaos/control'
import { parseExposition } from '@chaos/mini-prometheus'
import { expect, it, onTestFinished, vi } from 'vitest'
import WebSocket from 'ws'
import { wireChaos } from '../src/chaos.js'
import { ask, start } from './start.js'

const TOKEN = 'a-token-of-more-than-sixteen-characters'

it('serves /chaos over HTTP and WebSocket beside the routes, the WebSocket and the metrics of the app', async () => {
  vi.stubEnv('CHAOS', 'on')
  vi.stubEnv('CHAOS_TOKEN', TOKEN)
  const app = await start({ environment: 'development' }, wireChaos)
  expect((await fetch(`${app.url}/chaos/info`)).status).toBe(401)
  const client = await connect({ url: `${app.url}/chaos`, token: TOKEN })
  onTestFinished(() => client.close())
  const types: string[] = []
  client.follow(({ type }) => types.push(type))
  // A body for the endpoint to read, and events on its WebSocket.
  const { id } = await client.inject('eventbus', 'eventbus/delay-events', { delayMs: 1 })
  await client.stop(id)
  await vi.waitFor(() => expect(types).toEqual(expect.arrayContaining(['armed', 'ended'])))

  expect((await ask(app, 'POST', '/api/journal', { title: 't', content: 'c' })).status).toBe(201)
  const stranger = new WebSocket(`${app.url.replace('http', 'ws')}/ws`)
  const [error] = (await once(stranger, 'error')) as [Error]
  expect(error.message).toContain('401')
  const page = parseExposition(await (await fetch(`${app.url}/metrics`)).text())
  const routes = new Set(page.flatMap(({ name, labels }) => (name === 'http_requests_total' ? [labels['route']] : [])))
  expect(routes).toContain('/api/journal')
  expect([...routes].filter((route) => route === 'unknown' || route === '/ws' || route?.startsWith('/chaos'))).toEqual(
    [],
  )
})

it.each([
  ['production', 'on'],
  ['development', 'off'],
])('answers 404 below /chaos, HTTP and WebSocket, in %s with CHAOS=%s', async (environment, chaos) => {
  vi.stubEnv('CHAOS', chaos)
  vi.stubEnv('CHAOS_TOKEN', TOKEN)
  const app = await start({ environment }, wireChaos)
  const authorization = `Bearer ${TOKEN}`
  const answer = await fetch(`${app.url}/chaos/info`, { headers: { authorization } })
  expect([answer.status, await answer.json()]).toEqual([404, { error: 'Not found.' }])
  const events = new WebSocket(`${app.url.replace('http', 'ws')}/chaos/events`, { headers: { authorization } })
  const [error] = (await once(events, 'error')) as [Error]
  expect(error.message).toContain('404')
})

import { connect } from 'node:net'
import { hangCalls } from '@chaos/adapter'
import { withFault } from '@chaos/core'
import { expect, it, onTestFinished, vi } from 'vitest'
import { parseExposition } from '@chaos/mini-prometheus'
import type { App } from '../src/app.js'
import { ask, start, token } from './start.js'

async function metric(app: App, name: string, wanted: Readonly<Record<string, string>>): Promise<number | undefined> {
  return parseExposition(await app.registry.metrics()).find(
    (sample) =>
      sample.name === name && Object.entries(wanted).every(([label, value]) => sample.labels[label] === value),
  )?.value
}
const route = '/api/journal'

it('counts requests under way and the age of the oldest, until they are answered', async () => {
  const app = await start()
  expect([
    await metric(app, 'http_requests_in_flight', { route }),
    await metric(app, 'http_request_oldest_seconds', { route }),
  ]).toEqual([0, 0])
  const pending = await withFault(hangCalls(), app.storageBackend, async () => {
    const asked = [1, 2].map((n) => ask(app, 'POST', route, { title: `${n}`, content: 'c' }))
    await vi.waitFor(async () => {
      expect(await metric(app, 'http_requests_in_flight', { route })).toBe(2)
      expect(await metric(app, 'http_request_oldest_seconds', { route })).toBeGreaterThan(0.2)
    })
    return asked
  })
  await Promise.all(pending)
  await vi.waitFor(async () =>
    expect([
      await metric(app, 'http_requests_in_flight', { route }),
      await metric(app, 'http_request_oldest_seconds', { route }),
    ]).toEqual([0, 0]),
  )
})

it('ends a request whose client goes away, and counts it as neither answered nor failed', async () => {
  const app = await start()
  const socket = connect(Number(new URL(app.url).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  // The body never comes.
  socket.write(
    `POST ${route} HTTP/1.1\r\nhost: journal\r\nauthorization: Bearer ${await token()}\r\ncontent-length: 100\r\n\r\n{`,
  )
  await vi.waitFor(async () => expect(await metric(app, 'http_requests_in_flight', { route })).toBe(1))
  socket.destroy()
  await vi.waitFor(async () => expect(await metric(app, 'http_requests_in_flight', { route })).toBe(0))
  expect(await metric(app, 'http_requests_total', { route, method: 'POST', status: '499' })).toBe(1)
  expect(await metric(app, 'http_requests_total', { route, method: 'POST', status: '200' })).toBeUndefined()
})

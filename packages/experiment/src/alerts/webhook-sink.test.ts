import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { webhookSink, type WebhookSink } from './webhook-sink.js'

const clock = manualClock(7_000)
async function open(): Promise<WebhookSink> {
  const sink = await webhookSink({ clock })
  onTestFinished(() => sink.close())
  return sink
}
const notification = (...alerts: readonly unknown[]): string =>
  JSON.stringify({ version: '4', status: 'firing', receiver: 'chaos', groupLabels: {}, commonLabels: {}, alerts })
const firing = {
  status: 'firing',
  labels: { alertname: 'LagHigh', severity: 'page' },
  annotations: {},
  startsAt: '2026-01-01T00:00:00Z',
  endsAt: '0001-01-01T00:00:00Z',
}
const post = (url: string, body: string): Promise<Response> => fetch(url, { method: 'POST', body })

describe('a webhook sink', () => {
  it('keeps each alert of a notification, dated when it arrived', async () => {
    const { url, notifications } = await open()
    expect((await post(url, notification(firing, { ...firing, status: 'resolved' }))).status).toBe(200)
    expect(notifications).toEqual([
      { at: 7_000, name: 'LagHigh', labels: { severity: 'page' }, status: 'firing' },
      { at: 7_000, name: 'LagHigh', labels: { severity: 'page' }, status: 'resolved' },
    ])
  })

  it.each([
    ['no JSON', 'x', 400],
    ['no notification', '{"a":1}', 400],
    ['an alert without a name', notification({ ...firing, labels: {} }), 400],
    ['an alert with a label that is no text', notification({ ...firing, labels: { alertname: 'A', b: {} } }), 400],
    ['an alert in an unknown state', notification({ ...firing, status: 'odd' }), 400],
    ['too much', notification({ ...firing, annotations: { text: 'x'.repeat(1_000_001) } }), 413],
  ])('refuses %s, and keeps nothing of it', async (_title, body, status) => {
    const { url, notifications } = await open()
    expect((await post(url, body)).status).toBe(status)
    expect(notifications).toEqual([])
  })

  it('takes POST only', async () => {
    expect((await fetch((await open()).url)).status).toBe(405)
  })

  it('keeps the last 10,000', async () => {
    const { url, notifications } = await open()
    const alerts = Array.from({ length: 4_000 }, () => ({ status: 'firing', labels: { alertname: 'A' } }))
    for (let round = 0; round < 3; round += 1) await post(url, notification(...alerts))
    await post(url, notification(firing))
    expect(notifications.length).toBe(10_000)
    expect(notifications.at(-1)?.name).toBe('LagHigh')
  })

  it('listens on loopback only, and is gone when it is closed', async () => {
    const sink = await webhookSink()
    expect(sink.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/)
    await sink.close()
    await expect(fetch(sink.url)).rejects.toThrow()
  })

  it('can be given a port, and says when that is taken', async () => {
    const { url } = await open()
    await expect(webhookSink({ port: Number(new URL(url).port) })).rejects.toThrow('EADDRINUSE')
  })
})

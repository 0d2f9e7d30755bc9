import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Clock } from '@chaos/core'
import { systemClock } from '@chaos/core/authoring'
import { own } from '../shared/answer.js'
import { alertOf, listAt, textAt } from './untrusted.js'

/** One alert in a notification. */
export interface Notification {
  /** When it arrived, in ms since the epoch. */
  readonly at: number
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly status: 'firing' | 'resolved'
}

/** A webhook receiver on 127.0.0.1 for Alertmanager notifications. */
export interface WebhookSink {
  /** The URL to configure as the webhook receiver. */
  readonly url: string
  /** The last 10,000 alerts that arrived, oldest first. */
  readonly notifications: readonly Notification[]
  close(): Promise<void>
}

/** The largest accepted notification, in bytes. */
const MAX_BYTES = 1_000_000
const MAX_NOTIFICATIONS = 10_000
/** The most concurrent connections, and the longest that one request may take, in ms. */
const MAX_CONNECTIONS = 100
const REQUEST_TIMEOUT_MS = 10_000

/**
 * Opens a {@link WebhookSink} on 127.0.0.1. It accepts Alertmanager webhooks of version 4, the format that Grafana
 * sends too.
 *
 * @param options.port Port to listen on. Default 0: any free port.
 */
export async function webhookSink({
  clock = systemClock,
  port = 0,
}: { readonly clock?: Clock; readonly port?: number } = {}): Promise<WebhookSink> {
  const notifications: Notification[] = []
  const server = createServer((request, response) => {
    const at = clock.now()
    const answer = (status: number, text = ''): void =>
      void response.writeHead(status, { connection: status === 200 ? 'keep-alive' : 'close' }).end(text)
    if (request.method !== 'POST') {
      answer(405, 'Send notifications with POST.')
      return
    }
    textOf(request).then(
      (text) => {
        const arrived = text === undefined ? undefined : notificationsOf(text, at)
        notifications.push(...(arrived ?? []))
        if (notifications.length > MAX_NOTIFICATIONS) notifications.splice(0, notifications.length - MAX_NOTIFICATIONS)
        if (arrived !== undefined) answer(200)
        else if (text === undefined) answer(413, `The notification is larger than ${MAX_BYTES} bytes.`)
        else answer(400, 'The body is not an Alertmanager notification (webhook version 4).')
      },
      // The sender hung up.
      () => response.destroy(),
    )
  })
  server.maxConnections = MAX_CONNECTIONS
  server.headersTimeout = REQUEST_TIMEOUT_MS
  server.requestTimeout = REQUEST_TIMEOUT_MS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    notifications,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        // Node.js 18.0 and 18.1 do not have it yet.
        ;(server as { closeAllConnections?: () => void }).closeAllConnections?.()
      }),
  }
}

/** The body as text; `undefined` when it is too large. */
async function textOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= MAX_BYTES) chunks.push(chunk)
  }
  return size > MAX_BYTES ? undefined : Buffer.concat(chunks).toString('utf8')
}

/** Parses the alerts in a notification; `undefined` if the text is not a notification. */
function notificationsOf(text: string, at: number): Notification[] | undefined {
  try {
    return listAt(JSON.parse(text), 'alerts').map((alert) => {
      const [{ name, labels }, status] = [alertOf(own(alert, 'labels')), textAt(alert, 'status')]
      if (name === '' || (status !== 'firing' && status !== 'resolved')) throw new TypeError('not an alert')
      return { at, name, labels, status }
    })
  } catch {
    return undefined
  }
}

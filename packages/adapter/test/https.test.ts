import { withFault } from '@chaos/core'
import { hasPrograms } from '@chaos/test-servers'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { Agent, request } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  answerRequests,
  corruptResponses,
  cutResponses,
  delayRequests,
  hangResponses,
  slowResponses,
  type HttpTarget,
} from '../src/http/index.js'
import { makeCertificates } from './certificates.js'
import { rejection } from './rejection.js'

describe.runIf(hasPrograms('openssl'))('faults of HTTP under TLS (skipped without `openssl`)', () => {
  const { own } = hasPrograms('openssl') ? makeCertificates() : { own: undefined as never }

  /** A server, and two clients that trust it. */
  async function scene(): Promise<
    readonly (readonly [target: HttpTarget, ask: (signal?: AbortSignal) => Promise<string>])[]
  > {
    const server = https
      .createServer(own, (_request, response) => void response.end('hello, world'))
      .listen(0, '127.0.0.1')
    await once(server, 'listening')
    const ca = own.cert
    const [dispatcher, agent] = [new Agent({ connect: { ca } }), new https.Agent({ ca, keepAlive: true })]
    onTestFinished(async () => {
      agent.destroy()
      await dispatcher.destroy()
      server.closeAllConnections()
      server.close()
    })
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/items`
    const byUndici = async (signal?: AbortSignal): Promise<string> =>
      (await request(url, { dispatcher, signal: signal ?? null })).body.text()
    const byHttps = async (signal?: AbortSignal): Promise<string> => {
      const asking = https.get(url, { agent, ...(signal === undefined ? {} : { signal }) }).on('error', () => undefined)
      const [response] = (await once(asking, 'response')) as [IncomingMessage]
      let text = ''
      for await (const chunk of response) text += String(chunk)
      return text
    }
    return [
      [https, byHttps],
      [agent, byHttps],
      [dispatcher, byUndici],
      [server, byUndici],
      [server, byHttps],
    ]
  }

  it('act as without it, at clients and at servers', async () => {
    for (const [target, ask] of await scene()) {
      expect(await withFault(answerRequests({ body: 'sorry' }), target, () => ask())).toBe('sorry')
      expect(await withFault(delayRequests({ delayMs: 1 }), target, () => ask())).toBe('hello, world')
      expect(await withFault(slowResponses({ delayMs: 1, pieceBytes: 5 }), target, () => ask())).toBe('hello, world')
      expect(await withFault(corruptResponses(), target, () => ask())).not.toBe('hello, world')
      for (const [afterBytes, how] of [
        [0, 'end'],
        [5, 'end'],
        [0, 'reset'],
        [5, 'reset'],
      ] as const) {
        expect(await withFault(cutResponses({ afterBytes, how }), target, () => rejection(ask()))).toMatchObject({
          code: expect.stringMatching(/^(?:ECONNRESET|UND_ERR_SOCKET)$/) as string,
        })
      }
      expect(
        await withFault(hangResponses({ afterBytes: 5 }), target, () => rejection(ask(AbortSignal.timeout(20)))),
      ).toBeInstanceOf(Error)
      expect(await ask()).toBe('hello, world')
    }
  })

  it('leave requests of the other protocol alone', async () => {
    const [[, ask] = []] = await scene()
    await withFault(answerRequests({ body: 'sorry' }), http, async (injection) => {
      expect([await ask?.(), injection.seen]).toEqual(['hello, world', 0])
    })
  })
})

import { inject, injectedBy, withFault } from '@chaos/core'
import { hasPrograms } from '@chaos/test-servers'
import { once } from 'node:events'
import https from 'node:https'
import type net from 'node:net'
import tls from 'node:tls'
import { Agent, request } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeCertificates } from '../../../test/certificates.js'
import { describeError } from '../../../test/describe-error.js'
import { anyNumbers, expectFidelity } from '../../../test/fidelity.js'
import { rejection } from '../../../test/rejection.js'
import { connected, listen } from '../../../test/tcp.js'
import { failHandshakes } from './fail-handshakes.js'

describe.runIf(hasPrograms('openssl'))(
  'failHandshakes, beside servers that fail them (skipped without `openssl`)',
  () => {
    const certificates = hasPrograms('openssl') ? makeCertificates() : (undefined as never)
    const trusted = { ca: hasPrograms('openssl') ? certificates.own.cert : undefined }

    /** A server for the running test. */
    async function serve(options: tls.TlsOptions): Promise<number> {
      const server = tls
        .createServer(options, (socket) => void socket.on('error', () => undefined).end('hello'))
        .on('tlsClientError', () => undefined)
        .listen(0, '127.0.0.1')
      await once(server, 'listening')
      onTestFinished(() => void server.close())
      return (server.address() as net.AddressInfo).port
    }

    /** What a client hears until its connection is closed, and the error. */
    async function lifeWith(
      port: number,
      options: tls.ConnectionOptions,
    ): Promise<{ readonly life: readonly unknown[]; readonly error: Error | undefined }> {
      const life: unknown[] = []
      let error: Error | undefined
      const socket = tls.connect({ port, host: '127.0.0.1', ...options })
      for (const event of ['connect', 'secureConnect', 'data', 'end', 'error', 'close']) {
        socket.on(event, (value: unknown) => {
          if (value instanceof Error) error = value
          life.push(event, value instanceof Error ? told(value) : String(value))
        })
      }
      await once(socket, 'close').catch(() => once(socket, 'close'))
      return { life: [...life, socket.authorized, String(socket.authorizationError)], error }
    }

    /** OpenSSL names the thread that it runs in; an altname error holds the certificate, and what is in it. */
    function told(error: Error): unknown {
      const {
        stackHead,
        message,
        values: { port: _port, cert: _cert, host: _host, reason: _reason, ...values },
        ...rest
      } = describeError(error)
      const level = (text: string): string =>
        text.replace(/^(?:\w+: )?[\dA-F]{8,}:/, '').replace(/altnames: .*/s, 'altnames')
      return {
        ...rest,
        message: level(message),
        stackHead: level(stackHead),
        values: { ...values, message: level(message) },
      }
    }

    /** Compares the errors whole, and keeps the table of the docs. */
    function expectTold(
      preset: string,
      [injected, real]: readonly [Error | undefined, Error | undefined],
      alike: Readonly<Record<string, (value: unknown) => unknown>> = {},
    ): void {
      expectFidelity({
        preset,
        beside: `${process.platform === 'linux' ? 'Linux' : process.platform}, Node.js ${process.versions.node.split('.')[0] ?? ''}`,
        injected: injected as Error,
        real: real as Error,
        alike,
      })
    }
    /** What in the errors names the run: OpenSSL's thread, a certificate, a port. */
    const names: Readonly<Record<string, Readonly<Record<string, (value: unknown) => unknown>>>> = {
      'tls/wrong-host': Object.fromEntries(
        ['message', 'reason', 'host', 'cert'].map((field) => [field, (value: unknown) => typeof value]),
      ),
      'tls/protocol-version': { message: (value) => String(value).replace(/^[\dA-F]+:/, '') },
      'tls/handshake-failure': { message: (value) => String(value).replace(/^[\dA-F]+:/, '') },
      'tls/closed': { port: anyNumbers },
    }

    type Options = readonly [server: tls.TlsOptions, client: tls.ConnectionOptions]
    const real: Readonly<Record<string, () => Options>> = {
      'tls/certificate-expired': () => [certificates.expired, trusted],
      'tls/self-signed': () => [certificates.own, {}],
      'tls/untrusted-issuer': () => [certificates.issued, {}],
      'tls/wrong-host': () => [certificates.issued, { ...trusted, servername: 'another.example' }],
      'tls/protocol-version': () => [
        { ...certificates.issued, minVersion: 'TLSv1.3' },
        { ...trusted, maxVersion: 'TLSv1.2' },
      ],
      'tls/handshake-failure': () => [
        { ...certificates.issued, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
        trusted,
      ],
    }

    it.each(Object.keys(real))('%s reads as the real one, event by event and field by field', async (error) => {
      const [failing, client] = real[error]?.() as Options
      const expected = await lifeWith(await serve(failing), client)
      const port = await serve(certificates.issued)
      await withFault(
        failHandshakes({ error: error as 'tls/self-signed' }),
        tls,
        { only: `127.0.0.1:${port}` },
        async () => {
          const injected = await lifeWith(port, { ...trusted, ...(error === 'tls/protocol-version' ? client : {}) })
          expect(injected.life).toEqual(expected.life)
          expectTold(error, [injected.error, expected.error], names[error])
          expect([injectedBy(injected.error), injectedBy(expected.error)]).toEqual([
            'adapter/fail-handshakes',
            undefined,
          ])
        },
      )
      expect((await lifeWith(port, trusted)).life).toContain('secureConnect')
    })

    it.each([
      ['tls/reset', 'resetAndDestroy'],
      ['tls/closed', 'destroy'],
    ] as const)('%s reads as a server that hangs up when it is greeted', async (error, how) => {
      const hangingUp = await listen((socket) => void socket.once('data', () => socket[how]()))
      const expected = await lifeWith(hangingUp.port, trusted)
      const injected = await withFault(failHandshakes({ error }), tls, async () =>
        lifeWith(await serve(certificates.issued), trusted),
      )
      expect(injected.life).toEqual(expected.life)
      expect(JSON.stringify(injected.life)).toContain('ECONNRESET')
      expectTold(error, [injected.error, expected.error], names[error])
    })

    it('obeys a client that trusts everyone, and leaves secure connections alone', async () => {
      const port = await serve(certificates.issued)
      const standing = tls.connect({ port, host: '127.0.0.1', ...trusted })
      onTestFinished(() => void standing.destroy())
      await once(standing, 'secureConnect')
      await withFault(failHandshakes(), tls, async () => {
        const { life } = await lifeWith(port, { rejectUnauthorized: false })
        expect([life.includes('secureConnect'), life.at(-2), life.at(-1)]).toEqual([true, false, 'CERT_HAS_EXPIRED'])
        expect(String((await once(standing, 'data'))[0])).toBe('hello')
        const plain = await connected((await listen()).port)
        plain.destroy()
      })
    })

    it('reaches https and undici, and spends its limit', async () => {
      const server = https
        .createServer(certificates.issued, (_request, response) => void response.end('answer'))
        .listen(0, '127.0.0.1')
      await once(server, 'listening')
      const agent = new Agent({ connect: trusted })
      onTestFinished(async () => {
        await agent.close()
        server.close()
      })
      const url = `https://127.0.0.1:${(server.address() as net.AddressInfo).port}`
      const injection = await inject(failHandshakes(), tls, { limit: 2 })
      expect(await rejection(request(url, { dispatcher: agent }))).toMatchObject({
        code: 'CERT_HAS_EXPIRED',
        message: 'certificate has expired',
      })
      const [error] = (await once(https.get(url, { ...trusted, agent: false }), 'error').catch((reason: unknown) => [
        reason,
      ])) as [Error]
      expect(error).toMatchObject({ code: 'CERT_HAS_EXPIRED' })
      expect((await injection.done).outcome).toBe('limit-spent')
      expect(await (await request(url, { dispatcher: agent })).body.text()).toBe('answer')
    })
  },
)

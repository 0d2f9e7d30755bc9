import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createChaos, target } from '@chaos/core'
import { defineFault, option } from '@chaos/core/authoring'
import { connect, type AuditEntry } from '../src/index.js'
import { ask, mounted, privateFolder, TOKEN } from './support.js'

/** Planted where credentials go. None of them may come out anywhere. */
const SECRETS = {
  password: 'planted-password-1',
  urlPassword: 'planted-password-2',
  bearer: 'planted.bearer.token.3456',
  header: 'planted-header-4',
  wrongToken: 'planted-wrong-token-5',
  cookie: 'planted-cookie-6',
  late: 'planted-password-7',
}

const logIn = defineFault({
  name: 'test/log-in',
  kind: 'standing',
  summary: 'Logs in, or fails to.',
  options: {
    password: option.text('A password.', 30),
    url: option.optional(option.text('A URL.')),
    headers: option.optional(option.object('Headers.')),
    fails: option.optional(option.flag('Whether it fails.')),
  },
  target: { expects: 'an object', accepts: () => true },
  inject(_target: object, { url, fails }, context) {
    context.landed({ url, token: SECRETS.password })
    if (fails === true) throw new Error(`cannot reach ${url}`)
    context.defer(() => Promise.reject(new Error(`cannot leave redis://:${SECRETS.late}@db`)))
  },
})

it('lets no secret into an answer, an event, the journal, the audit log, its file or the output', async () => {
  const said: string[] = []
  for (const stream of [process.stdout, process.stderr]) {
    const write = vi.spyOn(stream, 'write').mockImplementation((chunk) => said.push(String(chunk)) > 0)
    onTestFinished(() => write.mockRestore())
  }
  const auditFile = join(privateFolder(), 'audit.jsonl')
  const heard: AuditEntry[] = []
  const chaos = createChaos({ environment: 'test', targets: { it: target({}, [logIn]) } })
  onTestFinished(() => chaos.close().catch(() => undefined))
  const { url } = await mounted(chaos.controller, { auditFile, onAudit: (entry) => void heard.push(entry) })
  const client = await connect({ url, token: TOKEN })
  onTestFinished(() => client.close())
  client.follow((entry) => said.push(JSON.stringify(entry)))

  const options = {
    password: SECRETS.password,
    url: `redis://me:${SECRETS.urlPassword}@db`,
    headers: { Authorization: `Bearer ${SECRETS.bearer}`, 'x-api-key': SECRETS.header },
  }
  const sent = async (path: string, body: unknown, headers: Record<string, string> = {}, method = 'POST') =>
    said.push((await ask(`${url}${path}`, { method, body, headers })).text)
  const request = { target: 'it', fault: 'log-in', options }
  await sent('/injections', { ...request, id: 'one' }, { 'idempotency-key': 'k' })
  await sent('/injections', { ...request, id: 'one' }, { 'idempotency-key': 'k' })
  await sent('/injections', { ...request, options: { ...options, fails: true } })
  await sent('/injections', { ...request, options: { ...options, password: SECRETS.password.repeat(9) } })
  await sent('/batches', { injections: [request, { ...request, options: { ...options, fails: true } }] })
  await sent('/checks', { ...request, connection: client.droppedHits })
  await sent('/injections', request, {
    authorization: `Bearer ${SECRETS.wrongToken}`,
    cookie: `chaos=${SECRETS.cookie}`,
    'chaos-actor': `redis://x:${SECRETS.urlPassword}@host`,
  })
  for (const path of ['/injections', '/injections/one', '/audit', '/info']) await sent(path, undefined, {}, 'GET')
  await sent('/injections/one', undefined, {}, 'DELETE')
  const failure: unknown = await client
    .inject('it', 'log-in', { ...options, fails: true })
    .catch((error: unknown) => error)

  const all = [
    ...said,
    String(failure),
    JSON.stringify([heard, chaos.journal.entries, await chaos.injections(), await client.audit()]),
    readFileSync(auditFile, 'utf8'),
  ].join('\n')
  expect(all).toContain('cannot reach redis://me:[redacted]@db')
  expect(all).toContain('cannot leave redis://:[redacted]@db')
  for (const secret of [...Object.values(SECRETS), TOKEN]) expect(all).not.toContain(secret)
})

it('lets nobody use the stream of a client by what the audit log says', async () => {
  const chaos = createChaos({ environment: 'test', targets: { it: target({}, [logIn]) } })
  onTestFinished(() => chaos.close().catch(() => undefined))
  const { url } = await mounted(chaos.controller)
  const connection = 'an-id-of-a-stream-that-nobody-may-know'
  const body = { target: 'it', fault: 'log-in', connection, options: { password: 'x' } }
  await ask(`${url}/injections`, { method: 'POST', body })
  await ask(`${url}/batches`, { method: 'POST', body: { injections: [], connection } })
  expect((await ask(`${url}/audit`)).text).not.toContain(connection)
})

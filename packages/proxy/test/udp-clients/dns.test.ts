import { Resolver } from 'node:dns/promises'
import dnsPacket from 'dns-packet'
import { expect, it, onTestFinished } from 'vitest'
import {
  corruptDatagrams,
  createUdpProxy,
  delayDatagrams,
  duplicateDatagrams,
  loseDatagrams,
  type UdpProxyOptions,
} from '../../src/udp/index.js'
import { infoOf, inForceOn, openEndpoint, until } from '../udp.js'

const ADDRESS = '192.0.2.7'

/** A DNS server that knows one address for every name, behind a proxy, and the resolver of Node.js. */
async function startDns(
  resolverOptions: ConstructorParameters<typeof Resolver>[0],
  options: Partial<UdpProxyOptions> = {},
) {
  const server = await openEndpoint('127.0.0.1', (bytes, reply) => {
    const { id, questions = [] } = dnsPacket.decode(bytes)
    const answers = questions.map(({ name }) => ({ type: 'A' as const, name, ttl: 1, data: ADDRESS }))
    reply(dnsPacket.encode({ type: 'response', id: id ?? 0, questions, answers }))
  })
  const proxy = await createUdpProxy({ upstream: `127.0.0.1:${server.port}`, ...options })
  const resolver = new Resolver(resolverOptions)
  resolver.setServers([proxy.listen])
  onTestFinished(async () => {
    resolver.cancel()
    await proxy.close()
    await server.close()
  })
  return { proxy, resolver, server }
}

/** Long enough for a slow machine to answer, so that only a lost datagram makes the resolver ask again. */
const PATIENT = { timeout: 20_000, tries: 1 }

it('resolves through the proxy', async () => {
  const { proxy, resolver } = await startDns(PATIENT)
  expect(await resolver.resolve4('example.test')).toEqual([ADDRESS])
  expect(proxy.counters).toMatchObject({ opened: 1, upstream: { datagramsOut: 1 }, downstream: { datagramsOut: 1 } })
})

it('asks again when queries or answers are lost, and gets its answer', async () => {
  const { proxy, resolver, server } = await startDns({ timeout: 200 })
  const query = await inForceOn(loseDatagrams({ stream: 'upstream' }), proxy, { limit: 1 })
  const answer = await inForceOn(loseDatagrams({ stream: 'downstream' }), proxy, { limit: 1 })
  expect(await resolver.resolve4('example.test')).toEqual([ADDRESS])
  expect([query.affected, answer.affected]).toEqual([1, 1])
  expect(proxy.counters.dropped.byFault).toBe(2)
  // One try lost on the way there, one on the way back, one that succeeded.
  expect(proxy.counters.upstream.datagramsIn).toBeGreaterThanOrEqual(3)
  expect(server.received.length).toBeGreaterThanOrEqual(2)
})

it('gives up with ETIMEOUT after four tries', async () => {
  const { proxy, resolver, server } = await startDns({ timeout: 50 })
  const injection = await inForceOn(loseDatagrams(), proxy)
  await expect(resolver.resolve4('example.test')).rejects.toMatchObject({
    code: 'ETIMEOUT',
    message: 'queryA ETIMEOUT example.test',
  })
  expect([injection.affected, server.received.length]).toEqual([4, 0])
})

it('waits for seconds, by default, before it asks again', async () => {
  const { proxy, resolver } = await startDns(undefined)
  const injection = await inForceOn(loseDatagrams({ stream: 'upstream' }), proxy, { limit: 1 })
  const start = performance.now()
  expect(await resolver.resolve4('example.test')).toEqual([ADDRESS])
  expect(performance.now() - start).toBeGreaterThan(1_900)
  expect(injection.affected).toBe(1)
})

it('waits for a late answer instead of asking again', async () => {
  const { proxy, resolver } = await startDns(PATIENT)
  await inForceOn(delayDatagrams({ delayMs: 100 }), proxy)
  const start = performance.now()
  expect(await resolver.resolve4('example.test')).toEqual([ADDRESS])
  expect(performance.now() - start).toBeGreaterThanOrEqual(200)
  expect(proxy.counters.opened).toBe(1)
})

it('takes the first of several answers', async () => {
  const { proxy, resolver } = await startDns(PATIENT)
  await inForceOn(duplicateDatagrams({ copies: 3 }), proxy)
  expect(await resolver.resolve4('example.test')).toEqual([ADDRESS])
  // Each of four queries has four answers.
  await until(() => expect(proxy.counters.downstream).toMatchObject({ datagramsIn: 4, datagramsOut: 16 }))
  expect(await resolver.resolve4('other.test')).toEqual([ADDRESS])
})

it('resolves one name while the queries for another are lost', async () => {
  const { proxy, resolver } = await startDns({ timeout: 50, tries: 2 })
  await inForceOn(loseDatagrams({ stream: 'upstream' }), proxy, {
    only: (args) => dnsPacket.decode(infoOf(args).payload).questions?.[0]?.name === 'lost.test',
  })
  await expect(resolver.resolve4('lost.test')).rejects.toMatchObject({ code: 'ETIMEOUT' })
  const patient = new Resolver(PATIENT)
  patient.setServers([proxy.listen])
  expect(await patient.resolve4('found.test')).toEqual([ADDRESS])
})

it('fails on an answer that is damaged throughout', async () => {
  const { proxy, resolver } = await startDns({ timeout: 100, tries: 1 })
  await inForceOn(corruptDatagrams({ bits: 1_000, stream: 'downstream' }), proxy)
  // Some versions ignore what is no answer to them.
  const code = expect.stringMatching(/^E(BADRESP|TIMEOUT)$/) as string
  await expect(resolver.resolve4('example.test')).rejects.toMatchObject({ code })
})

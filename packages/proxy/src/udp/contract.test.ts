import type { Fault } from '@chaos/core'
import { faultContract } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openClient, openEndpoint, until, type UdpClient } from '../../test/udp.js'
import { udpFaults } from '../faults.js'
import {
  corruptDatagrams,
  createUdpProxy,
  delayDatagrams,
  duplicateDatagrams,
  loseDatagrams,
  reorderDatagrams,
  throttleDatagrams,
  type UdpProxy,
  type UdpProxyTarget,
} from './index.js'

/** Each fault so that it affects a datagram from the client. */
const CASES: readonly (readonly [{ readonly catalog: { readonly name: string } }, () => Fault<UdpProxyTarget>])[] = [
  [corruptDatagrams, () => corruptDatagrams({ stream: 'upstream' })],
  [delayDatagrams, () => delayDatagrams({ delayMs: 50, stream: 'upstream' })],
  [duplicateDatagrams, () => duplicateDatagrams({ spacingMs: 20, stream: 'upstream' })],
  [loseDatagrams, () => loseDatagrams({ stream: 'upstream' })],
  [reorderDatagrams, () => reorderDatagrams({ stream: 'upstream' })],
  [throttleDatagrams, () => throttleDatagrams({ bytesPerSecond: 100, stream: 'upstream' })],
]

const clients = new WeakMap<UdpProxyTarget, UdpClient>()

async function makeTarget(): Promise<UdpProxy> {
  const server = await openEndpoint()
  const proxy = await createUdpProxy({ upstream: `127.0.0.1:${server.port}` })
  const client = await openClient(proxy)
  clients.set(proxy, client)
  onTestFinished(async () => {
    await client.close()
    await proxy.close()
    await server.close()
  })
  return proxy
}

/** Sends datagrams, and waits until the proxy has read them. */
async function exercise(proxy: UdpProxy, times: number): Promise<void> {
  const expected = proxy.counters.upstream.datagramsIn + times
  await (clients.get(proxy) as UdpClient).send(...Array.from({ length: times }, () => 'x'))
  await until(() => expect(proxy.counters.upstream.datagramsIn).toBe(expected))
}

describe.each(CASES)('$catalog.name', (_factory, fault) => {
  for (const { title, run } of faultContract<UdpProxy>({ fault, target: makeTarget, exercise })) it(title, run)
})

it('runs the contract for every fault on datagrams', () => {
  expect(CASES.map(([factory]) => factory)).toEqual(udpFaults)
})

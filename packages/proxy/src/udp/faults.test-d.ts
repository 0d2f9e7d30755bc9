import { createChaos, inject, type Fault } from '@chaos/core'
import { assertType, it } from 'vitest'
import { tcpFaults, udpFaults } from '../faults.js'
import { delayData, type Proxy } from '../index.js'
import { delayDatagrams, loseDatagrams, type UdpProxy, type UdpProxyTarget } from './index.js'

declare const tcp: Proxy
declare const udp: UdpProxy

it('faults on datagrams take UDP proxies, faults on bytes take TCP proxies', () => {
  assertType<Fault<UdpProxyTarget>>(loseDatagrams({ lossRate: 0.5 }))
  void inject(loseDatagrams(), udp, { rate: 0.2, only: '127.0.0.*' })
  void inject(delayData({ delayMs: 1 }), tcp)
  // @ts-expect-error -- a TCP proxy
  void inject(loseDatagrams(), tcp)
  // @ts-expect-error -- a UDP proxy
  void inject(delayData({ delayMs: 1 }), udp)
  // @ts-expect-error -- not its options
  delayDatagrams({ delayMs: '1' })
  const chaos = createChaos()
  void chaos.target('dns', udp, udpFaults).inject('proxy/delay-datagrams', { delayMs: 5, order: 'free' })
  // @ts-expect-error -- faults on bytes
  chaos.target('dns', udp, tcpFaults)
})

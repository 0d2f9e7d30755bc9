import { faultContract } from '@chaos/core/testing'
import type { Fault } from '@chaos/core'
import http from 'node:http'
import { describe, expect, it, vi } from 'vitest'
import { echo, startHttpScene } from '../../../test/http.js'
import { httpFaults } from '../../faults.js'
import {
  abortRequests,
  answerRequests,
  changeHeaders,
  corruptBodies,
  cutBodies,
  delayRequests,
  delayResponses,
  hangRequests,
  trickleBodies,
  type HttpProxy,
  type HttpProxyTarget,
} from '../index.js'

/** Each fault so that it affects a request that is sent back. */
const CASES: readonly (readonly [{ readonly catalog: { readonly name: string } }, () => Fault<HttpProxyTarget>])[] = [
  [abortRequests, () => abortRequests({ afterMs: 20 })],
  [abortRequests, () => abortRequests({ reached: 'upstream' })],
  [answerRequests, () => answerRequests({ reached: 'upstream' })],
  [answerRequests, () => answerRequests({ afterMs: 20 })],
  [changeHeaders, () => changeHeaders({ set: { 'x-chaos': 'yes' } })],
  [corruptBodies, () => corruptBodies({ byteRate: 1 })],
  [cutBodies, () => cutBodies({ afterBytes: 2, stream: 'upstream' })],
  [cutBodies, () => cutBodies({ afterBytes: 2 })],
  [delayRequests, () => delayRequests({ delayMs: 50 })],
  [delayResponses, () => delayResponses({ delayMs: 50 })],
  [hangRequests, () => hangRequests()],
  [hangRequests, () => hangRequests({ reached: 'upstream' })],
  [trickleBodies, () => trickleBodies({ everyMs: 20 })],
  [trickleBodies, () => trickleBodies({ everyMs: 20, stream: 'upstream' })],
]

const sent = new WeakMap<HttpProxyTarget, number>()

async function makeTarget(): Promise<HttpProxy> {
  const { proxy } = await startHttpScene(echo)
  return proxy
}

/** Sends requests one after the other. Each is over when the proxy says so, or a fault holds it. */
async function exercise(proxy: HttpProxy, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    const count = (sent.get(proxy) ?? 0) + 1
    sent.set(proxy, count)
    const request = http.request({ port: proxy.port, host: '127.0.0.1', agent: false, method: 'POST' }, (answer) =>
      answer.on('error', () => undefined).resume(),
    )
    request.on('error', () => undefined).end('body')
    await vi.waitFor(
      () => {
        expect(proxy.counters.requests).toBe(count)
        expect(proxy.requests().filter(({ hits }) => hits.length === 0)).toEqual([])
      },
      { timeout: 30_000, interval: 2 },
    )
  }
}

describe.each(CASES.map(([factory, fault], index) => ({ name: factory.catalog.name, index, fault })))(
  '$name, case $index',
  ({ fault }) => {
    for (const { title, run } of faultContract<HttpProxy>({ fault, target: makeTarget, exercise })) it(title, run)
  },
)

it('runs the contract for every HTTP fault of this package', () => {
  expect([...new Set(CASES.map(([factory]) => factory))]).toEqual(httpFaults)
})

import { describe, expect, it } from 'vitest'
import type { Client } from '../tcp.js'
import { dialect } from './dialect.js'
import { startScene } from './scene.js'
import { serverUnderTest } from './server.js'

const api = serverUnderTest()

const CONNECTIONS = 40
/** What a connection sends to learn whether it is sliced: 20 pieces, with 5 ms between them. */
const PROBE = 'x'.repeat(200)
const slicer = { name: 't', type: 'slicer', attributes: { average_size: 10, delay: 5_000 } }

/** Connects clients that tell which of them a slicer hits. */
async function connectProbes(
  scene: Awaited<ReturnType<typeof startScene>>,
): Promise<() => Promise<readonly boolean[]>> {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => scene.connect()))
  let rounds = 0
  return async () => {
    rounds += 1
    return Promise.all(clients.map((client) => isSliced(client, rounds * PROBE.length)))
  }
}

async function isSliced({ socket, receives }: Client, total: number): Promise<boolean> {
  let pieces = 0
  const count = (): void => void (pieces += 1)
  socket.on('data', count)
  socket.write(PROBE)
  await receives(total)
  socket.off('data', count)
  return pieces > 1
}

describe('toxicity', () => {
  it.each([
    [1, true],
    [2, true],
    [0, false],
    [-1, false],
  ])('%d hits all connections: %s', async (toxicity, hit) => {
    const scene = await startScene(api)
    await scene.add({ ...slicer, toxicity })
    const probe = await connectProbes(scene)
    expect(await probe()).toEqual(Array.from({ length: CONNECTIONS }, () => hit))
  })

  it('0.5 hits some connections, and these do not change while nothing is edited', async () => {
    const scene = await startScene(api)
    await scene.add({ ...slicer, toxicity: 0.5 })
    const probe = await connectProbes(scene)
    const first = await probe()
    expect(new Set(first)).toEqual(new Set([true, false]))
    expect([await probe(), await probe()]).toEqual([first, first])
  })

  it.each([
    ['another toxic is added', 'POST', '/toxics', { type: 'noop' }],
    ['another attribute is edited', 'PATCH', '/toxics/t', { attributes: { size_variation: 1 } }],
    ['the same toxicity is set', 'PATCH', '/toxics/t', { toxicity: 0.5 }],
  ])('when %s, connections keep their decisions as the dialect says', async (_, method, path, body) => {
    const scene = await startScene(api)
    await scene.add({ ...slicer, toxicity: 0.5 })
    const probe = await connectProbes(scene)
    const first = await probe()
    expect((await scene.call(method, path, body)).status).toBe(200)
    const second = await probe()
    if (dialect.keepsDecisions) expect(second).toEqual(first)
    else expect(second).not.toEqual(first)
  })
})

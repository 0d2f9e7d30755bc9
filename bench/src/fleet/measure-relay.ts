import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { redisAgentTransport, relayAgentTransport, startRelay, type InstanceRecord } from '@chaos/fleet'
import { startEngine } from '@chaos/test-fleet'
import { engineCounts } from './engine.js'

/** What one read costs that goes by a relay. */
export interface RelayPoint {
  readonly processes: number
  readonly reads: number
  /** CPU of the relay, with that of the processes that ask it: they are one process here, so this is more than it is. */
  readonly relayUsPerRead: number
  readonly engineUsPerRead: number
  /** Connections to the engine, for all processes of the host. */
  readonly connections: number
}

/** Reads by so many processes of one host, each on a link of its own, over one relay. */
export async function measureRelay(processes: number, rounds: number): Promise<RelayPoint> {
  const engine = await startEngine()
  const folder = mkdtempSync(join(tmpdir(), 'chaos-bench-'))
  const upstream = redisAgentTransport({ fleet: 'bench', port: engine.port, timeoutMs: 20_000 })
  const path = join(folder, 'relay', 'socket')
  const relay = await startRelay(upstream, { path })
  const links = Array.from({ length: processes }, () => relayAgentTransport({ path, timeoutMs: 20_000 }))
  try {
    // One after another, since processes do not read together. Together they would cost less.
    const read = async (): Promise<void> => {
      for (const [index, link] of links.entries()) await link.read(instanceOf(`host:${index}:0123456789abcdef`))
    }
    const { clients } = await engineCounts(engine.witness)
    for (let round = 0; round < 3; round += 1) await read()
    const [before, cpuBefore] = [await engineCounts(engine.witness), process.cpuUsage()]
    for (let round = 0; round < rounds; round += 1) await read()
    const [after, cpu] = [await engineCounts(engine.witness), process.cpuUsage(cpuBefore)]
    const reads = rounds * processes
    return {
      processes,
      reads,
      relayUsPerRead: (cpu.user + cpu.system) / reads,
      engineUsPerRead: (1_000 * (after.cpuMs - before.cpuMs)) / reads,
      connections: after.clients - clients,
    }
  } finally {
    await Promise.all(links.map((link) => link.close()))
    await relay.stop()
    await upstream.close()
    await engine.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const instanceOf = (id: string): InstanceRecord => ({
  id,
  service: 'lab',
  environment: 'test',
  labels: { host: 'host' },
  targets: { speaker: ['lab/mute'] },
  sdk: '0.0.0',
  state: 'idle',
})

import type { Redis } from 'ioredis'

/** What a Redis has done since it started. */
export interface EngineCounts {
  readonly cpuMs: number
  /** In both directions, before this look. */
  readonly bytes: number
  /** What this look adds to them. */
  readonly ownBytes: number
  /** How often each command was called, by clients and within scripts. */
  readonly calls: Readonly<Record<string, number>>
  readonly memoryKib: number
  readonly clients: number
}

/** The request, and the frame of the reply. */
const OVERHEAD_BYTES = 40

/** Reads what a Redis counts. */
export async function engineCounts(client: Redis): Promise<EngineCounts> {
  const text = await client.info('everything')
  const number = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1])
  const calls = [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name, count]) => [name, Number(count)])
  return {
    cpuMs: 1_000 * (number('used_cpu_user') + number('used_cpu_sys')),
    bytes: number('total_net_input_bytes') + number('total_net_output_bytes'),
    ownBytes: Buffer.byteLength(text) + OVERHEAD_BYTES,
    calls: Object.fromEntries(calls) as Record<string, number>,
    memoryKib: number('used_memory_rss') / 1_024,
    clients: number('connected_clients'),
  }
}

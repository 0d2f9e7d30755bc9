import type { ControlClient } from '@chaos/control'
import { chooseProcess, type ProcessFlags } from '../choose-process.js'
import type { Io } from '../io.js'

/** Flags that every command takes. */
export interface CommonFlags extends ProcessFlags {
  readonly json?: boolean
}

/** Connects to the process that is meant, and disconnects afterwards. */
export async function withClient<T>(flags: CommonFlags, io: Io, work: (client: ControlClient) => Promise<T>): Promise<T> {
  const client = await io.connect(await chooseProcess(flags, io.env, io.discover))
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

/** One JSON document. */
export function json(value: unknown): string {
  return JSON.stringify(value, null, 2)
}

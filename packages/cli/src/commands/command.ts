import type { ControlClient } from '@chaos/control'
import { chooseProcess, type ProcessFlags } from '../choose-process.js'
import type { Terminal } from '../view/terminal.js'

/** Flags that every command takes. */
export interface CommonFlags extends ProcessFlags {
  readonly json?: boolean
}

/** Connects to the process that is meant, and disconnects afterwards. */
export async function withClient<T>(flags: CommonFlags, io: Terminal, work: (client: ControlClient) => Promise<T>): Promise<T> {
  const client = await io.connect(await chooseProcess(flags, io.env, io.discover))
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

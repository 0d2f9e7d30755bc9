import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'

/** The longest token, in bytes, with the line feed behind it. */
const MAX_BYTES = 4_096
/** How long a pipe that has a writer may take to say something, in ms, and how often it is looked at. */
const PATIENCE_MS = 5_000
const LOOK_EVERY_MS = 20

/** The text of a file or pipe (`--token-file <(command)`). Does not wait for an endless device, nor for a pipe without a writer. @throws when it cannot be read, or is too long */
export async function readTokenFile(path: string): Promise<string> {
  // Windows has no such flag, and `|` takes nothing for 0.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const buffer = Buffer.alloc(MAX_BYTES + 1)
    let length = 0
    let waitedMs = 0
    while (length <= MAX_BYTES) {
      const read = await file.read(buffer, length, buffer.length - length, null).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN' && waitedMs < PATIENCE_MS) return undefined
        throw error
      })
      if (read?.bytesRead === 0) return buffer.toString('utf8', 0, length).trim()
      length += read?.bytesRead ?? 0
      if (read === undefined) {
        await setTimeout(LOOK_EVERY_MS)
        waitedMs += LOOK_EVERY_MS
      }
    }
    throw new Error(`it has more than ${MAX_BYTES} bytes`)
  } finally {
    await file.close()
  }
}

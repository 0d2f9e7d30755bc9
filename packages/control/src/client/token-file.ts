import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'

/** The largest token file, in bytes, including its line feed. */
const MAX_BYTES = 4_096
/** How long to wait for data from a pipe, and the pause between two attempts, in ms. */
const PATIENCE_MS = 5_000
const LOOK_EVERY_MS = 20

/**
 * Reads the text of a file or pipe (`--token-file <(command)`). Does not hang on an endless device or on a pipe without
 * a writer.
 *
 * @throws Error when the file cannot be read or is too large
 */
export async function readTokenFile(path: string): Promise<string> {
  // O_NONBLOCK is undefined on Windows, which `|` treats as 0.
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

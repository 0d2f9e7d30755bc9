import { open } from 'node:fs/promises'
import { messageOf, printable } from '@chaos/core/authoring'
import { usage } from './arguments.js'

/**
 * Reads the text of a file.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if it cannot be read, is no regular file, or is too large.
 */
export async function readBounded(path: string, maxBytes: number, flag: string): Promise<string> {
  try {
    const file = await open(path, 'r')
    try {
      const stat = await file.stat()
      if (!stat.isFile()) throw new Error('it is no regular file')
      if (stat.size > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`)
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    throw usage(`\`${flag} ${printable(path)}\` cannot be read: ${messageOf(error)}.`)
  }
}

/** Reads a value as JSON. @throws ChaosError `CHAOS_INVALID_OPTION` */
export function jsonIn(text: string, flag: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw usage(`\`${flag}\` is no JSON: ${messageOf(error)}.`)
  }
}

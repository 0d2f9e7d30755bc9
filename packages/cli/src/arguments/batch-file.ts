import { open } from 'node:fs/promises'
import type { BatchedInjection } from '@chaos/control'
import { ChaosError, isChaosError } from '@chaos/core'
import { checkOptions, messageOf, option, optionsSchema, portableInjectOptions, printable } from '@chaos/core/authoring'

/** The largest file, in bytes. An endpoint takes no larger request. */
const MAX_BYTES = 65_536
/** The most injections of a batch. */
const MAX_INJECTIONS = 100
const MAX_NAME = 200

const injectionSchema = optionsSchema({
  target: option.text('The name of the target.', MAX_NAME),
  fault: option.text('The name of the fault.', MAX_NAME),
  options: option.optional(option.object('The options of the fault.')),
  ...portableInjectOptions,
})

/**
 * Reads the injections of a batch: a JSON list, or an object with the list as `injections`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when the file cannot be read or has no such list
 */
export async function readBatch(path: string): Promise<readonly BatchedInjection[]> {
  const value = parsed(path, await readText(path))
  const list: unknown = Array.isArray(value)
    ? value
    : (Object(value) as Readonly<Record<string, unknown>>)['injections']
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_INJECTIONS)
    throw invalid(
      `Expected ${printable(path)} to have a list of 1 to ${MAX_INJECTIONS} injections: \`[{ "target": "bus", "fault": "drop-events", "leaseMs": 10000 }]\`.`,
    )
  return list.map(
    (one, index) => checkOptions(injectionSchema, one, `injection ${index} of ${printable(path)}`) as BatchedInjection,
  )
}

async function readText(path: string): Promise<string> {
  try {
    const file = await open(path)
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_BYTES + 1), 0, MAX_BYTES + 1, 0)
      if (bytesRead > MAX_BYTES) throw invalid(`${printable(path)} is larger than ${MAX_BYTES} bytes.`)
      return buffer.toString('utf8', 0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw isChaosError(error) ? error : invalid(`${printable(path)} cannot be read: ${messageOf(error)}`, error)
  }
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalid(`${printable(path)} is not JSON: ${messageOf(error)}`, error)
  }
}

const invalid = (message: string, cause?: unknown): ChaosError =>
  new ChaosError('CHAOS_INVALID_OPTION', message, cause === undefined ? {} : { cause })

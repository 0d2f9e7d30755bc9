import { ChaosError } from '@chaos/core'
import { messageOf } from '@chaos/core/authoring'
import { createReadStream } from 'node:fs'
import type { ProxyBody } from '../toxiproxy/index.js'

/** The longest config file, in bytes. */
const MAX_BYTES = 1_048_576

/**
 * Reads Toxiproxy's config file: a JSON list of proxies. What the proxies say is checked when they are made.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if it cannot be read, is too long, or is no JSON list.
 */
export async function readConfig(path: string): Promise<readonly ProxyBody[]> {
  const proxies = await valueOf(path)
  if (Array.isArray(proxies)) return proxies as readonly ProxyBody[]
  throw invalidConfig(
    path,
    new TypeError('Expected a JSON list of proxies, such as `[{ "name": "redis", "upstream": "127.0.0.1:6379" }]`.'),
  )
}

async function valueOf(path: string): Promise<unknown> {
  try {
    return JSON.parse(await textOf(path))
  } catch (error) {
    throw invalidConfig(path, error)
  }
}

async function textOf(path: string): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  // A stream, so that it may be a pipe: `--config /dev/stdin`.
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MAX_BYTES) throw new RangeError(`The file is longer than ${MAX_BYTES} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** The error of a config file that is none, or whose proxies cannot be made. */
export const invalidConfig = (path: string, cause: unknown): ChaosError =>
  new ChaosError('CHAOS_INVALID_OPTION', `Cannot use the config file ${path}: ${messageOf(cause)}`, { cause })

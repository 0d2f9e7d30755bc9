import type { Readable } from 'node:stream'

/** The list in which a stream keeps chunks, before Node.js 22 and in copies of the library. */
interface ChunkList {
  readonly head: ListEntry | null
  readonly clear: () => void
  readonly push: (chunk: unknown) => void
}

interface ListEntry {
  readonly data: unknown
  readonly next: ListEntry | null
}

/** The internal state of a stream. */
interface ReadableState {
  readonly objectMode: boolean
  readonly ended: boolean
  readonly endEmitted: boolean
  length: number
  buffer: ChunkList | unknown[]
  bufferIndex?: number
}

/**
 * Changes what came into a stream before anybody has read it: the body of a small response is there when its head is.
 *
 * @param change Gets the chunks, and whether the stream has ended behind them. Returns the chunks that the reader gets.
 */
export function changeBuffered(
  stream: Readable,
  change: (chunks: readonly unknown[], hasEnded: boolean) => readonly unknown[],
): void {
  const state: unknown = Reflect.get(stream, '_readableState')
  if (!isState(state) || state.endEmitted || (state.length === 0 && !state.ended)) return
  const given = change(chunksOf(state), state.ended)
  const chunks = state.objectMode ? given : given.filter((chunk) => sizeOf(chunk) > 0)
  if (Array.isArray(state.buffer)) {
    state.buffer = [...chunks]
    state.bufferIndex = 0
  } else {
    state.buffer.clear()
    for (const chunk of chunks) state.buffer.push(chunk)
  }
  state.length = state.objectMode ? chunks.length : chunks.reduce((sum: number, chunk) => sum + sizeOf(chunk), 0)
}

/** Returns whether nothing more comes into a stream, though its reader may not know yet. */
export function hasEnded(stream: Readable): boolean {
  const state: unknown = Reflect.get(stream, '_readableState')
  return isState(state) && state.ended
}

function isState(state: unknown): state is ReadableState {
  if (typeof state !== 'object' || state === null || !('buffer' in state)) return false
  const { buffer } = state
  return (
    Array.isArray(buffer) || (typeof buffer === 'object' && buffer !== null && 'head' in buffer && 'clear' in buffer)
  )
}

function chunksOf({ buffer, bufferIndex = 0 }: ReadableState): readonly unknown[] {
  if (Array.isArray(buffer)) return buffer.slice(bufferIndex)
  const chunks: unknown[] = []
  for (let entry = buffer.head; entry !== null; entry = entry.next) chunks.push(entry.data)
  return chunks
}

function sizeOf(chunk: unknown): number {
  return (chunk as { readonly length: number }).length
}

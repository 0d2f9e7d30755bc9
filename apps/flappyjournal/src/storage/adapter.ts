/** The interface of a storage adapter. Values are JSON. */
export interface StorageAdapter {
  /** The backend label of the metrics: `memory`, `level` or `redis`. */
  readonly backend: string
  init(): Promise<void>
  /** Reads a value; `undefined` for a missing key. */
  get(key: string): Promise<unknown>
  set(key: string, value: unknown): Promise<void>
  /** Deletes a key. A missing key is not an error. */
  del(key: string): Promise<void>
  keys(prefix: string): Promise<string[]>
  close(): Promise<void>
}

/** Thrown when storage cannot serve a call at present. */
export class StorageUnavailableError extends Error {
  override readonly name = 'StorageUnavailableError'
  readonly code = 'STORAGE_UNAVAILABLE'
}

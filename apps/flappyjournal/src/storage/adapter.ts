/** What every storage adapter does. Values are JSON. */
export interface StorageAdapter {
  /** `memory`, `level` or `redis`: a label of the metrics. */
  readonly backend: string
  init(): Promise<void>
  /** A missing key gives `undefined`. */
  get(key: string): Promise<unknown>
  set(key: string, value: unknown): Promise<void>
  /** A missing key is fine. */
  del(key: string): Promise<void>
  keys(prefix: string): Promise<string[]>
  close(): Promise<void>
}

/** Storage cannot serve a call right now. */
export class StorageUnavailableError extends Error {
  override readonly name = 'StorageUnavailableError'
  readonly code = 'STORAGE_UNAVAILABLE'
}

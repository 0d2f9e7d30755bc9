import type { InjectOptions } from '@chaos/core'

/** What a forwarder's process is asked for. */
export type Question =
  /** Puts a fault of `@chaos/proxy` in force, for ten minutes at most. */
  | {
      readonly do: 'arm'
      readonly fault: string
      readonly options: object
      readonly how?: Pick<InjectOptions, 'only' | 'rate'>
    }
  /** Ends all faults. */
  | { readonly do: 'disarm' }
  /** What it uses. */
  | { readonly do: 'use' }
  /** Counts what it allocates, until `counted`. */
  | { readonly do: 'count' | 'counted' }

/** What a process uses. */
export interface Usage {
  readonly cpuMs: number
  readonly rssKiB: number
  readonly heapKiB: number
  /** Bytes that its proxy holds on their way to clients. */
  readonly heldBytes: number
}

/** What a process has allocated on its heap. */
export interface Allocations {
  readonly allocatedKiB: number
}

export type Answer = Usage | Allocations | Record<string, never>

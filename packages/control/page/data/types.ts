import type { InjectionState, JournalEntry, PortableInjectOptions } from '@chaos/core'

export type { ControllerInfo, FaultInfo, InjectionState, JournalEntry, MintedScope, TargetInfo } from '@chaos/core'

/** A hit as the event stream reports it. */
export type HitEntry = Extract<JournalEntry, { readonly type: 'hit' }>

/** The body of `POST /injections` and of `POST /checks`. */
export type InjectionRequest = PortableInjectOptions & {
  readonly target: string
  readonly fault: string
  readonly options?: Readonly<Record<string, unknown>>
  /** The id of the event stream that holds the injection. */
  readonly connection?: string
}

/** An event that the app reports: an alert, a recovery. */
export interface AppEvent {
  readonly topic: string
  readonly at: number
  readonly data: Readonly<Record<string, unknown>>
}

/** The report of stopping everything. */
export interface StopReport {
  readonly stopped: readonly InjectionState[]
}

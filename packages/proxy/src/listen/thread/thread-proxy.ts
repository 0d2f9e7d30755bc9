import type { MessagePort } from 'node:worker_threads'
import type { DelegatedCounts, DelegatedOptions } from '@chaos/core/authoring'
import type { ConnectionState } from '../../connections/connection.js'
import type { Move } from '../move.js'
import type { ProxyCounters, ToxicState } from '../proxy.js'

/** Where a proxy listens and connects. */
export interface Place {
  readonly listen: string
  readonly host: string
  readonly port: number
  readonly upstream: string
  readonly enabled: boolean
}

/** A fault to put in force. */
export interface InjectOrder {
  readonly fault: string
  readonly options: Readonly<Record<string, unknown>>
  readonly how: DelegatedOptions
  /** When the lease ends, by the clock that all threads of the process share. */
  readonly leaseEndsAt: number
  /** Shared memory. Once it holds 1, the fault has no further hit. */
  readonly stop: Int32Array
}

/** What a proxy in a worker thread can be asked. Each answer comes after all reports that it is newer than. */
export interface ThreadProxy {
  enable(): Promise<Place>
  disable(): Promise<Place>
  move(to: Move): Promise<Place>
  /** Closes it, and tells what is left to tell. */
  close(): Promise<{ readonly counters: ProxyCounters; readonly toxics: readonly ToxicState[] }>
  inject(order: InjectOrder): Promise<void>
  /** Ends an injection, if it is in force. */
  release(injection: string): Promise<void>
  extendLease(injection: string, leaseMs: number): void
  update(injection: string, fault: string, options: Readonly<Record<string, unknown>>): void
  reconsider(injection: string): void
  counters(): ProxyCounters
  connections(): readonly ConnectionState[]
  toxics(): readonly ToxicState[]
}

/** What can be asked, and answered at once. */
export type Readings = {
  [
    Name in keyof ThreadProxy as ReturnType<ThreadProxy[Name]> extends Promise<unknown> ? never : Name
  ]: ThreadProxy[Name]
}

/** A question to the thread. */
export interface Question {
  readonly id: number
  readonly name: keyof ThreadProxy
  readonly args: readonly unknown[]
}

/** What has become of an injection since the last report. */
export interface Report {
  readonly injection: string
  readonly counts: DelegatedCounts
  readonly hits: readonly { readonly operation: string; readonly call: number; readonly at: number }[]
  readonly warnings: readonly string[]
  /** Why it has ended by itself. */
  readonly outcome?: 'stopped' | 'lease-expired' | 'limit-spent'
}

/** An error on its way from the thread. */
export interface SentError {
  readonly code: string | undefined
  readonly message: string
  /** The error of the system that caused it. */
  readonly cause?: Readonly<Record<string, unknown>>
}

/** An answer to the question of the same id. */
export type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly error: SentError })

/** What the thread says. The first answer, to no question, is that the proxy is there, or why it is not. */
export type FromThread = { readonly report: Report } | Answer

/** The id of the first answer. */
export const STARTED = 0

/** What the thread is started with. */
export interface ThreadData {
  readonly port: MessagePort
  /** Shared memory that counts what the thread has said, for a main thread that waits for it. */
  readonly said: Int32Array
  /** The options of `createProxy`. */
  readonly options: Readonly<Record<string, unknown>>
}

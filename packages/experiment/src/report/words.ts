import type { Mark } from '../run/evidence.js'

/** A time span as people read it: `850 ms`, `12.3 s`. */
export function span(ms: number | undefined): string {
  if (ms === undefined) return '–'
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** How far a mark may be off; empty where it cannot be. */
export function errorBar({ errorMs }: Pick<Mark, 'errorMs'>): string {
  return errorMs < 0.5 ? '' : `−${span(errorMs)}`
}

/** What each mark stands for. */
export const MARK_WORDS = {
  t0: 'fault landed',
  t1: 'condition true',
  t2: 'alert fired',
  t3: 'notification arrived',
  t4: 'fault ended',
  t5: 'steady state back',
  t6: 'alerts gone',
  t7: 'steady state held',
} as const

/** How recovery came about. */
export const RECOVERY_WORDS = {
  'by-itself': 'by itself',
  assisted: 'assisted',
  'not-recovered': 'not recovered',
  'not-observed': 'not observed',
} as const

import type { Mark } from '../evidence/evidence.js'

/** A time span as people read it: `850 ms`, `12.3 s`. */
export function span(ms: number | undefined): string {
  if (ms === undefined) return '–'
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** How far a mark may be off; empty where it cannot be. */
export function errorBar({ errorMs }: Pick<Mark, 'errorMs'>): string {
  return errorMs < 0.5 ? '' : `−${span(errorMs)}`
}

/** How recovery came about. */
export const RECOVERY_WORDS = {
  'by-itself': 'by itself',
  assisted: 'assisted',
  'not-recovered': 'not recovered',
  'not-observed': 'not observed',
} as const

import type { Mark } from '../evidence/evidence.js'

/** Formats a duration: `850 ms`, `12.3 s`. */
export function span(ms: number | undefined): string {
  if (ms === undefined) return '–'
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** The error of a mark as text; empty for an exact mark. */
export function errorBar({ errorMs }: Pick<Mark, 'errorMs'>): string {
  return errorMs < 0.5 ? '' : `−${span(errorMs)}`
}

/** The text for each kind of recovery. */
export const RECOVERY_WORDS = {
  'by-itself': 'by itself',
  assisted: 'assisted',
  'not-recovered': 'not recovered',
  'not-observed': 'not observed',
} as const

import type { Outcome } from '../search/model.js'

export const HOLDS: Outcome = { verdict: 'holds' }
export const breaks = (reason: string): Outcome => ({ verdict: 'breaks', reason })

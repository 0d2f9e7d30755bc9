import type { InjectOptions } from '@chaos/core'

/**
 * Every filter at once, chosen so that all of them are asked and no call is ever affected: the rate is as small as a number gets, so
 * only a roll of exactly 0 is a hit, and with this seed the first such roll is far beyond what a run calls.
 */
export const ALL_FILTERS: InjectOptions = {
  skip: 1,
  every: 2,
  rate: Number.MIN_VALUE,
  limit: 1_000_000,
  limitPerOperation: 1_000_000,
  seed: 'bench',
  id: 'every-filter',
}

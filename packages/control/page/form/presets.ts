/** A value to choose with one press. */
export interface Preset {
  readonly label: string
  readonly value: number
}

/** Leases. */
export const LEASES: readonly Preset[] = [
  { label: '10 s', value: 10_000 },
  { label: '30 s', value: 30_000 },
  { label: '60 s', value: 60_000 },
]

/** Shares of the calls. */
export const RATES: readonly Preset[] = [
  { label: '10 %', value: 0.1 },
  { label: '50 %', value: 0.5 },
  { label: '100 %', value: 1 },
]

/** Delays, from a busy network to an outage. */
const DELAYS: readonly Preset[] = [
  { label: '100 ms', value: 100 },
  { label: '500 ms', value: 500 },
  { label: '2 s', value: 2_000 },
  { label: '10 s', value: 10_000 },
]

/** The presets of an option of a fault, by its name. */
export const presetsOf = (name: string): readonly Preset[] => (name === 'delayMs' ? DELAYS : [])

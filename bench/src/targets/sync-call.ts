/** An object with functions of its own. */
export interface Meter {
  readonly read: (last: number) => number
  readonly reset: (last: number) => number
}

export const isAsync = false

export function make(step: number): Meter {
  return { read: (last) => (last + step) | 0, reset: (last) => (last * step) | 0 }
}

export function use(meter: Meter): (last: unknown) => unknown {
  return (last) => meter.read(last as number)
}

import type { InjectionContext } from '@chaos/core/authoring'

/** Holds an operation for its duration, so that an injection whose limit is spent does not end in the middle of it. */
export function lastFor({ hold }: InjectionContext, ms: number): void {
  hold({ afterMs: ms, run: () => undefined })
}

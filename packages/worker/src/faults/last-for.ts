import type { InjectionContext } from '@chaos/core/authoring'

/** Marks an operation that lasts so many ms: an injection whose limit it has spent does not end before. */
export function lastFor({ hold }: InjectionContext, ms: number): void {
  hold({ afterMs: ms, run: () => undefined })
}

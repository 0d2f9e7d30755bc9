/** Cancels a timer. */
export type Cancel = () => void

/** The source of time of everything in the app that waits. */
export interface Time {
  /** Milliseconds, monotonic. */
  now(): number
  /** Runs `work` once, no earlier than `delayMs` from now. @param options.ref Whether the timer keeps the process alive. */
  after(delayMs: number, work: () => void, options?: { readonly ref?: boolean }): Cancel
}

export const realTime: Time = {
  now: () => performance.now(),
  after(delayMs, work, { ref = true } = {}) {
    const timer = setTimeout(work, delayMs)
    if (!ref) timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Resolves after `delayMs`. */
export function pause(time: Time, delayMs: number): Promise<void> {
  return new Promise((resolve) => void time.after(delayMs, resolve))
}

/** Runs `work` every `periodMs`. It does not keep the process alive. */
export function every(time: Time, periodMs: number, work: () => void): Cancel {
  let cancel: Cancel
  const next = (): void => {
    cancel = time.after(
      periodMs,
      () => {
        next()
        work()
      },
      { ref: false },
    )
  }
  next()
  return () => cancel()
}

/** The result of `work`, or that of `late` if the work takes longer than `limitMs`. */
export async function within<T, Late>(
  time: Time,
  limitMs: number,
  work: Promise<T>,
  late: () => Late,
): Promise<T | Late> {
  let cancel: Cancel = () => undefined
  const limit = new Promise<void>((resolve) => {
    cancel = time.after(limitMs, resolve)
  })
  try {
    return await Promise.race([work, limit.then(late)])
  } finally {
    cancel()
  }
}

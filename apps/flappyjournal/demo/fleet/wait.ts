import { setTimeout as pause } from 'node:timers/promises'

/** How often a condition is looked at, in ms. */
const LOOK_EVERY_MS = 20

/**
 * Waits until something is so.
 *
 * @param what What is waited for, for the error: "the servers to join".
 * @throws Error if it is not so in time, and the reason of the signal if that aborts
 */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  { what, withinMs, signal }: { readonly what: string; readonly withinMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const giveUpAt = performance.now() + withinMs
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new Error(`Waited ${withinMs} ms for ${what}.`)
    await sleep(LOOK_EVERY_MS, signal)
  }
}

/** Pauses. @throws The reason of the signal if that aborts */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => undefined)
  signal.throwIfAborted()
}

/** Waits for signs of life of a thread. */
export interface Watchdog {
  /** A sign of life. */
  heard(): void
  stop(): void
}

/** So many looks make up a silence. */
const LOOKS = 4

/**
 * Calls `onSilent` while nothing has been heard for so long, in ms. It counts looks and not time, and each look comes after the messages that wait: a
 * process that was stopped as a whole, or whose main thread was busy, must not take its own stall for the silence of a thread.
 */
export function watchdog(silenceMs: number, onSilent: () => void): Watchdog {
  let silentLooks = 0
  let isStopped = false
  const look = (): void => {
    if (isStopped) return
    silentLooks += 1
    if (silentLooks > LOOKS) onSilent()
  }
  // Messages that wait come before an immediate does.
  const timer = setInterval(() => setImmediate(look), silenceMs / LOOKS)
  timer.unref()
  return {
    heard: () => void (silentLooks = 0),
    stop() {
      isStopped = true
      clearInterval(timer)
    },
  }
}

/** Watches for signs of life of a thread. */
export interface Watchdog {
  /** Records a sign of life. */
  heard(): void
  stop(): void
}

/** The number of consecutive silent checks that make up a silence. */
const LOOKS = 4

/**
 * Calls `onSilent` when no sign of life was recorded for `silenceMs`. It counts checks instead of time, and each check
 * runs after all waiting messages. A process that was suspended, or whose main thread was busy, therefore does not
 * mistake its own stall for the silence of a thread.
 */
export function watchdog(silenceMs: number, onSilent: () => void): Watchdog {
  let silentLooks = 0
  let isStopped = false
  const look = (): void => {
    if (isStopped) return
    silentLooks += 1
    if (silentLooks > LOOKS) onSilent()
  }
  // Waiting messages are delivered before an immediate runs.
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

const { hrtime } = process

/** Monotonic time in ms, the same in all threads of the process. */
export function processTime(): number {
  const [seconds, nanoseconds] = hrtime()
  return seconds * 1_000 + nanoseconds / 1_000_000
}

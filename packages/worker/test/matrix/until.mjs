/** Waits until something holds. It is asked every few ms; what never holds is an error that says what was waited for. */
export async function until(what, holds, patienceMs = 60_000) {
  const deadline = performance.now() + patienceMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Waited in vain: ${what}.`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

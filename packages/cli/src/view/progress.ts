import type { RunEvent } from '@chaos/experiment'
import { bold, cyan, dim, green, red, yellow, type Part } from './terminal.js'

/** Prints the progress of a run. A probe is mentioned when it leaves its bounds or returns to them. */
export function progress(startedAt: number, out: (...line: readonly Part[]) => void): (event: RunEvent) => void {
  const wasGood = new Map<string, boolean>()
  const line = (at: number, ...parts: readonly Part[]): void =>
    out(dim(`${((at - startedAt) / 1_000).toFixed(1).padStart(6)} s`), '  ', ...parts)
  return (event) => {
    switch (event.type) {
      case 'phase':
        if (event.phase !== 'done') line(event.at, bold(event.phase), `: ${event.detail}`)
        break
      case 'mark':
        line(event.at, cyan(event.mark), ` ${event.detail}`)
        break
      case 'alert': {
        const { name, state, to } = event.alert
        // The end of `pending` is not shown: the alert either fires next or was a false start.
        if (to === undefined) line(event.at, 'alert ', (state === 'firing' ? red : yellow)(`${name} ${state}`))
        else if (state === 'firing') line(event.at, `alert ${name} resolved`)
        break
      }
      case 'probe': {
        const before = wasGood.get(event.probe)
        wasGood.set(event.probe, event.sample.isGood)
        if (before === undefined || before === event.sample.isGood) break
        const value = event.sample.value === undefined ? 'no data' : Number(event.sample.value.toPrecision(4))
        line(
          event.at,
          event.sample.isGood
            ? green(`${event.probe} is good again (${value})`)
            : yellow(`${event.probe} left its bounds (${value})`),
        )
        break
      }
    }
  }
}

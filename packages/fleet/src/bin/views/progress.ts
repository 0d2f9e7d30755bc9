import type { JournalEntry } from '@chaos/core'
import type { RunEvent } from '@chaos/experiment'

const stamp = (at: number, startedAt: number): string => `${((at - startedAt) / 1_000).toFixed(1).padStart(6)} s  `

/** Returns a printer of what happens in the runs of a controller. */
export function runProgress(startedAt: number, out: (line: string) => void): (entry: JournalEntry) => void {
  return (entry) => {
    const say = (text: string): void => out(`${stamp(entry.at, startedAt)}${text}`)
    if (entry.type === 'warning') say(`warning: ${entry.message}`)
    // Each instance would tell of each of its hits.
    if (entry.type === 'warning' || entry.type === 'hit') return
    const { id, account, outcome, affected } = entry.injection
    if (entry.type === 'armed') say(`${id}: asking ${account['instances'] ?? 0} instances`)
    if (entry.type === 'landed') say(`${id}: the first hit`)
    if (entry.type === 'ended')
      say(`${id}: every instance is whole (${outcome ?? 'ended'}), ${affected} operations affected`)
  }
}

/** Returns a printer of the progress of an experiment. A probe is mentioned when it leaves its bounds or returns to them. */
export function experimentProgress(startedAt: number, out: (line: string) => void): (event: RunEvent) => void {
  const wasGood = new Map<string, boolean>()
  return (event) => {
    const say = (text: string): void => out(`${stamp(event.at, startedAt)}${text}`)
    switch (event.type) {
      case 'phase':
        if (event.phase !== 'done') say(`${event.phase}: ${event.detail}`)
        break
      case 'mark':
        say(`${event.mark} ${event.detail}`)
        break
      case 'alert': {
        const { name, state, to } = event.alert
        // The end of `pending` is not shown: the alert either fires next or was a false start.
        if (to === undefined) say(`alert ${name} ${state}`)
        else if (state === 'firing') say(`alert ${name} resolved`)
        break
      }
      case 'probe': {
        const { isGood, value } = event.sample
        const before = wasGood.get(event.probe)
        wasGood.set(event.probe, isGood)
        if (before === undefined || before === isGood) break
        say(`${event.probe} ${isGood ? 'is good again' : 'left its bounds'} (${value ?? 'no data'})`)
        break
      }
    }
  }
}

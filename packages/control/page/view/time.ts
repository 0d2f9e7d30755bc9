import { clockTime, preciseTime, relativeTime } from '../model/times.js'
import { el } from './dom.js'

/** A time as `12:03:04`. Pointing at it says how long ago it was, and the exact time. */
export function timeView(at: number, now: () => number): HTMLElement {
  const element = el('time', { datetime: isoOf(at) }, clockTime(at))
  const tell = (): void => void (element.title = `${relativeTime(at, now())}, at ${preciseTime(at)}`)
  tell()
  element.addEventListener('pointerenter', tell)
  return element
}

const isoOf = (at: number): string | undefined => {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

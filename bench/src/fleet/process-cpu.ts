import { readFileSync } from 'node:fs'

/** Linux counts the CPU of a process in these. */
const TICKS_PER_S = 100

/** The CPU that a process has used, in ms; of another system than Linux, NaN. */
export function cpuMsOf(pid: number | undefined): number {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
    // After the name, which may hold anything: field 14 and 15 of the line.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_S
  } catch {
    return Number.NaN
  }
}

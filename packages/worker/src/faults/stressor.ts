import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { InjectionContext } from '@chaos/core/authoring'

/** A process of its own that takes what others would need, for as long as it is told to. */
export interface Stressor {
  readonly pid: number
  /** Presses until so many ms from now; told again, it goes on. 0: lets go at once. */
  press(forMs: number): void
}

/** What a stressor says of itself. */
type Report = Readonly<Record<string, number>>

/** How a stressor is made. */
export interface StressorPlan {
  /** Declares `onTold(forMs)`; has `settings`, `report(facts)` and `until`, by `performance.now()`. */
  readonly code: string
  readonly settings: Readonly<Record<string, number>>
  readonly onReport: (report: Report, pid: number) => void
  /** It ended although nobody asked it to. */
  readonly onLost: (how: { readonly exitCode: number | null; readonly endedBy: string | null }, pid: number) => void
}

/** A press is told so many periods ahead: a late renewal leaves no gap, and a holder that stalls for longer lets go. */
export const PERIODS_AHEAD = 4

/**
 * Starts a stressor. It ends with the injection; it also ends when this process does, however that ends: its standard input closes then.
 * Keeps no process alive.
 */
export async function startStressor(
  { code, settings, onReport, onLost }: StressorPlan,
  { defer }: InjectionContext,
): Promise<Stressor> {
  const { NODE_OPTIONS: _preloads, ...env } = process.env
  const child = spawn(process.execPath, ['--expose-gc', '-e', LISTEN + code, JSON.stringify(settings)], {
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  let isDismissed = false
  defer(() => {
    isDismissed = true
    return dismiss(child)
  })
  const { pid } = child
  if (pid === undefined) throw (await once(child, 'error'))[0]
  child.once('exit', (exitCode, endedBy) => {
    if (!isDismissed) onLost({ exitCode, endedBy }, pid)
  })
  // A line that is told to one who has just died is told to nobody.
  child.stdin.on('error', () => undefined)

  const lines = createInterface({ input: child.stdout })
  await once(lines, 'line')
  lines.on('line', (line) => onReport(JSON.parse(line) as Report, pid))
  child.unref()
  for (const stream of [child.stdin, child.stdout]) (stream as { unref?: () => void }).unref?.()
  return { pid, press: (forMs) => void child.stdin.write(`${forMs}\n`) }
}

async function dismiss(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  child.ref()
  const left = once(child, 'exit')
  child.kill('SIGKILL')
  await left
}

const LISTEN = `
const settings = JSON.parse(process.argv[1])
let until = 0
const report = (facts) => process.stdout.write(JSON.stringify(facts) + '\\n')
process.stdout.on('error', () => process.exit())
require('node:readline').createInterface({ input: process.stdin })
  .on('line', (line) => { until = performance.now() + Number(line); onTold(Number(line)) })
  .on('close', () => process.exit())
// Where memory runs out, the kernel is to end this one first.
try { require('node:fs').writeFileSync('/proc/self/oom_score_adj', '1000') } catch {}
report({ ready: 1 })
`

import childProcess, { type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { builtin, type InjectionContext } from '@chaos/core/authoring'

const { spawn } = builtin('node:child_process', childProcess)

/** A separate process that uses up CPU time or memory. */
export interface Stressor {
  readonly pid: number
  /** Keeps the stress up for `forMs` from now. Calling it again renews it. 0 ends the stress at once. */
  press(forMs: number): void
}

/** The measurements that a stressor reports. */
type Report = Readonly<Record<string, number>>

/** The settings of a stressor. */
export interface StressorPlan {
  /**
   * The code of the process. It declares `onRenewal(forMs)` and may use `settings`, `report(measurements)` and `until`, the end
   * of the stress by `performance.now()`.
   */
  readonly code: string
  readonly settings: Readonly<Record<string, number>>
  readonly onReport: (report: Report, pid: number) => void
  /** Called if the process ends before the injection does. */
  readonly onLost: (how: { readonly exitCode: number | null; readonly endedBy: string | null }, pid: number) => void
}

/** A renewal lasts this many periods. A late one leaves no gap; if this process stalls for longer, the stress ends. */
export const PERIODS_AHEAD = 4

/**
 * Starts a stressor process. It ends with the injection, and with this process however that ends, since its standard input
 * then closes. It does not keep this process alive.
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
  // Writing to a stressor that has just died fails. Its `exit` is what gets reported.
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
  .on('line', (line) => { until = performance.now() + Number(line); onRenewal(Number(line)) })
  .on('close', () => process.exit())
// If memory runs out, the kernel must kill this process first.
try { require('node:fs').writeFileSync('/proc/self/oom_score_adj', '1000') } catch {}
report({ ready: 1 })
`

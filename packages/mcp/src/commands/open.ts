import { randomInt } from 'node:crypto'
import { discover, type LocalProcess } from '@chaos/control'
import { ChaosError } from '@chaos/core'
import { auditLog } from '../audit/audit-log.js'
import { environmentRefusal } from '../permit/arming.js'
import { MAX_PERMIT_MS, MAX_PERMITTED, type PermittedProcess } from '../permit/permit.js'
import { removePermits, writePermit } from '../permit/permit-store.js'
import { DISCOVER_TIMEOUT_MS } from '../processes/connections.js'
import { plain } from '../shared/bounded.js'
import { inWords, parseDuration } from '../shared/duration.js'
import { MAX_TOOL_LEASE_MS } from '../tools/inject-options.js'
import { usage, type Arguments } from './arguments.js'
import type { Io } from './io.js'

const DEFAULT_FOR = '15m'
/** What a person types again. Without letters that look alike. */
const LETTERS = 'abcdefghkmnpqrstwxyz'
const MAX_NAME = 200

/**
 * Permits faults for a while, once the person at the terminal has confirmed it.
 *
 * @throws ChaosError `CHAOS_TERMINAL_REQUIRED` without a terminal, `CHAOS_ARMING_CLOSED` when it was not confirmed,
 *   `CHAOS_NO_PROCESS` when no process can be named, and the refusals of the environment
 */
export async function open(args: Arguments, io: Io): Promise<void> {
  const forMs = parseDuration(args.text('for') ?? DEFAULT_FOR, '--for', MAX_PERMIT_MS)
  const asked = args.texts('process')
  if (asked.some((one) => one === '' || one.length > MAX_NAME)) throw usage('`--process` needs a process id or name.')
  const audit = auditLog()
  const refuse = (error: ChaosError): never => {
    audit.write({ by: 'person', action: 'open', outcome: 'refused', code: error.code, message: error.message })
    throw error
  }
  const refusal = environmentRefusal(io.env)
  if (refusal !== undefined) refuse(refusal)
  if (!io.isTerminal)
    refuse(
      new ChaosError(
        'CHAOS_TERMINAL_REQUIRED',
        'Faults are permitted by a person who types at a terminal. Standard input and output must both be one.',
      ),
    )
  const running = await discover({ timeoutMs: DISCOVER_TIMEOUT_MS })
  const processes = permitted(asked, running)
  const until = new Date(Date.now() + forMs)
  io.out('A model that uses chaos-mcp may then inject faults into')
  for (const one of processes) io.out(`  ${lineOf(one, running)}`)
  io.out(
    `for ${inWords(forMs)}, until ${until.toISOString()}: single faults of at most ${inWords(MAX_TOOL_LEASE_MS)}, and experiment files.`,
  )
  const code = Array.from({ length: 4 }, () => LETTERS[randomInt(LETTERS.length)]).join('')
  const typed = await io.ask(`Type "open ${code}" to permit it: `)
  if (typed?.trim() !== `open ${code}`)
    refuse(new ChaosError('CHAOS_ARMING_CLOSED', 'It was not confirmed, so nothing was permitted.'))
  const openedAt = Date.now()
  // Written first: what is permitted must be in the log.
  audit.write({ by: 'person', action: 'open', outcome: 'done', detail: { forMs, processes } })
  writePermit({ version: 1, openedAt, expiresAt: openedAt + forMs, processes })
  io.out(
    'Permitted. `chaos-mcp close` withdraws it and ends what the model has in force; `chaos-mcp audit` shows what it did.',
  )
}

/** The processes that are named, or all that run. @throws ChaosError `CHAOS_NO_PROCESS` or `CHAOS_INVALID_OPTION` */
function permitted(asked: readonly string[], running: readonly LocalProcess[]): readonly PermittedProcess[] {
  const exact = ({ pid, name, startedAt }: LocalProcess): PermittedProcess => ({ pid, name, startedAt })
  if (asked.length > MAX_PERMITTED || (asked.length === 0 && running.length > MAX_PERMITTED))
    throw usage(`A permit names at most ${MAX_PERMITTED} processes. Name some with \`--process\`.`)
  if (asked.length > 0)
    return asked.flatMap((one): readonly PermittedProcess[] => {
      const byId = running.filter(({ pid }) => String(pid) === one)
      if (byId.length > 0) return byId.map(exact)
      if (!/^\d+$/.test(one)) return [{ name: one }]
      throw new ChaosError('CHAOS_NO_PROCESS', `No process with the id ${one} has an open control socket.`)
    })
  if (running.length > 0) return running.map(exact)
  throw new ChaosError(
    'CHAOS_NO_PROCESS',
    'No running process of this user has an open control socket. Start the app first, or name it with `--process`.',
  )
}

function lineOf({ pid, name }: PermittedProcess, running: readonly LocalProcess[]): string {
  if (pid !== undefined) return `process ${pid}, ${plain(name)}`
  const now = running.filter((one) => one.name === name).map((one) => one.pid)
  return `every process named ${plain(name)}, also later ones (${now.length === 0 ? 'none runs now' : `now ${now.join(', ')}`})`
}

/** Withdraws every permit. Servers end what they have in force within two seconds. */
export function close(io: Io): void {
  const wasOpen = removePermits(undefined, Date.now())
  io.out(wasOpen ? 'Withdrawn. Servers end what they have in force within 2 s.' : 'Nothing was permitted.')
  auditLog().write({ by: 'person', action: 'close', outcome: 'done' })
}

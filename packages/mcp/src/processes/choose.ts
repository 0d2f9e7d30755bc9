import type { LocalProcess } from '@chaos/control'
import { ChaosError } from '@chaos/core'
import { plain } from '../shared/bounded.js'

/** The most processes that a message lists. */
const MAX_SHOWN = 20

/**
 * Selects a process by its id or name. Without either, there must be only one.
 *
 * @throws ChaosError `CHAOS_NO_PROCESS` when none matches, `CHAOS_SEVERAL_PROCESSES` when several do
 */
export function chooseLocal(all: readonly LocalProcess[], asked: string | undefined): LocalProcess {
  const fitting = asked === undefined ? all : all.filter(({ pid, name }) => String(pid) === asked || name === asked)
  const [only, ...others] = fitting
  if (only !== undefined && others.length === 0) return only
  if (all.length === 0)
    throw new ChaosError(
      'CHAOS_NO_PROCESS',
      'No running process of this user has an open control socket. Start an app that calls `openSocket` of @chaos/control, with NODE_ENV=development.',
    )
  if (only === undefined)
    throw new ChaosError('CHAOS_NO_PROCESS', `No running process matches. Running processes:\n${listOf(all)}`)
  throw new ChaosError(
    'CHAOS_SEVERAL_PROCESSES',
    `Several processes match. Name one by its process id:\n${listOf(fitting)}`,
  )
}

const listOf = (processes: readonly LocalProcess[]): string =>
  [
    ...processes.slice(0, MAX_SHOWN).map(({ pid, name }) => `  ${pid}  ${plain(name)}`),
    ...(processes.length > MAX_SHOWN ? [`  … and ${processes.length - MAX_SHOWN} more`] : []),
  ].join('\n')

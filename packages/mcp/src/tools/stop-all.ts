import type { LocalProcess } from '@chaos/control'
import { messageOf, option } from '@chaos/core/authoring'
import { plain } from '../shared/bounded.js'
import { listOf, objectOf, text, texts, whole } from './schemas.js'
import { defineTool, type Session } from './tool.js'
import { processView } from './views.js'

/** The most ids of stopped injections in an answer, for each process. */
const MAX_SHOWN = 100

export const stopAll = defineTool({
  name: 'stop_all',
  title: 'Stop all faults',
  description:
    'Ends every injection at once, whoever made it, and aborts the experiments of this server. Without `process`, in every process of this user. Always allowed, also where faults are not permitted. Use it whenever something looks wrong.',
  effect: 'stop',
  input: {
    process: option.optional(
      option.text('Process id or name, as list_processes shows it. Default: every process.', 1_000),
    ),
  },
  output: objectOf({
    stopped: listOf(
      objectOf(
        {
          pid: whole('The process id.'),
          name: text('The name of the process.'),
          injections: texts('The ids of the injections that were ended.'),
          problem: text('What went wrong.'),
        },
        ['problem'],
      ),
      'What was ended, by process.',
    ),
    runs: texts('The runs of experiments that were aborted.'),
  }),
  async run({ process: asked }, session) {
    const { connections, runs } = session
    const chosen = asked === undefined ? await everyProcess(session) : [await connections.choose(asked)]
    const aborted = runs.abortAll('stop_all was called', asked === undefined ? undefined : chosen[0]?.pid)
    const stopped = await Promise.all(chosen.map((process) => stopIn(process, session)))
    const problems = stopped.filter((one) => 'problem' in one)
    const count = stopped.reduce((sum, { injections }) => sum + injections.length, 0)
    return {
      summary: [
        `Ended ${count} ${count === 1 ? 'injection' : 'injections'} in ${stopped.length} ${stopped.length === 1 ? 'process' : 'processes'}.`,
        ...problems.map(({ pid, name, problem }) => `${pid} ${name}: ${problem}`),
      ].join('\n'),
      data: { stopped, runs: aborted },
      detail: { stopped: count, problems: problems.length },
    }
  },
})

/** The processes that answer, and those that this server is connected to: one of these may be too busy to be found. */
async function everyProcess({ connections }: Session): Promise<readonly LocalProcess[]> {
  const found = await connections.list()
  const all = [...connections.open().map(({ process }) => process), ...found]
  return [...new Map(all.map((one) => [one.socketPath, one])).values()]
}

/** Stops what is in force in one process. Never rejects, so that one process that fails does not hide the others. */
async function stopIn(process: LocalProcess, { connections }: Session) {
  try {
    const { client, armed } = await connections.to(process)
    const { stopped } = await client.stopAll()
    armed.clear()
    return { ...processView(process), injections: stopped.slice(0, MAX_SHOWN).map(({ id }) => plain(id)) }
  } catch (error) {
    return { ...processView(process), injections: [], problem: messageOf(error, { max: 500 }) }
  }
}

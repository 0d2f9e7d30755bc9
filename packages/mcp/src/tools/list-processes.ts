import { plain } from '../shared/bounded.js'
import { objectOf, armingSchema, flag, listOf, text, texts, whole } from './schemas.js'
import { defineTool } from './tool.js'
import { armingView, isoTime, processView } from './views.js'

/** The most processes, and targets of one, in an answer. */
const MAX_PROCESSES = 50
const MAX_TARGETS = 100

export const listProcesses = defineTool({
  name: 'list_processes',
  title: 'List processes',
  description:
    'Lists the local Node.js processes of this user whose faults can be controlled, and whether a person has permitted faults in them.',
  effect: 'read',
  input: {},
  output: objectOf({
    processes: listOf(
      objectOf({
        pid: whole('The process id. Pass it as `process` to other tools.'),
        name: text('The name that the process gave itself.'),
        startedAt: text('When it started. ISO 8601, UTC.'),
        targets: texts('The targets that faults can be injected into.'),
        arming: armingSchema,
      }),
      'The processes, oldest first.',
    ),
    more: flag('Whether there are more.'),
  }),
  async run(_args, { connections, arming }) {
    const all = await connections.list()
    const shown = all.slice(0, MAX_PROCESSES).map((process) => ({
      ...processView(process),
      startedAt: isoTime(process.startedAt),
      targets: process.targets.slice(0, MAX_TARGETS).map(({ name }) => plain(name)),
      arming: armingView(arming.stateOf(process)),
    }))
    const lines = shown.map(
      ({ pid, name, targets, arming: state }) =>
        `${pid}  ${name}: ${targets.join(', ') || 'no targets'} (faults ${state.open ? 'permitted' : 'not permitted'})`,
    )
    return {
      summary: lines.length === 0 ? 'No process of this user has an open control socket.' : lines.join('\n'),
      data: { processes: shown, more: all.length > MAX_PROCESSES },
    }
  },
})

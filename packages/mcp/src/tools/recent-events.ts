import { option } from '@chaos/core/authoring'
import { processOption } from './process-option.js'
import { anything, listOf, objectOf, processSchema, text, whole } from './schemas.js'
import { defineTool } from './tool.js'
import { processView } from './views.js'

const MAX_SHOWN = 100

export const recentEvents = defineTool({
  name: 'recent_events',
  title: 'Recent events',
  description:
    'Shows the latest journal entries of a process since this server connected to it: injections armed, landed and ended, single hits, warnings, and events that the app reports, such as alerts.',
  effect: 'read',
  input: {
    process: processOption,
    injection: option.optional(option.text('Only events of this injection.', 200)),
    limit: option.optional(option.count('The most events. Default 30.', 1, MAX_SHOWN), 30),
  },
  output: objectOf({
    process: processSchema,
    events: listOf(
      objectOf(
        {
          at: text('ISO 8601, UTC, by the clock of the process.'),
          type: text('armed, landed, renewed, ended, hit, warning or app-event.'),
          injection: text('The id of the injection.'),
          detail: anything('What happened.'),
        },
        ['injection'],
      ),
      'Oldest first.',
    ),
    dropped: whole('Older events that were left out. Counters of injections are exact anyway.'),
  }),
  async run({ process: asked, injection, limit }, { connections }) {
    const process = await connections.choose(asked)
    const { client, events } = await connections.to(process)
    const shown = events.last(limit, injection)
    return {
      summary:
        shown.length === 0
          ? 'Nothing has happened since this server connected to the process.'
          : shown
              .map(({ at, type, injection: id = '', detail }) => `${at}  ${type}  ${id}  ${JSON.stringify(detail)}`)
              .join('\n'),
      data: { process: processView(process), events: shown, dropped: events.dropped + client.droppedHits },
    }
  },
})

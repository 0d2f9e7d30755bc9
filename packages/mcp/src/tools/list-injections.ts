import { option } from '@chaos/core/authoring'
import { processOption } from './process-option.js'
import { flag, injectionSchema, listOf, objectOf, processSchema } from './schemas.js'
import { defineTool } from './tool.js'
import { injectionLine, injectionView, processView } from './views.js'

const MAX_SHOWN = 50

export const listInjections = defineTool({
  name: 'list_injections',
  title: 'List injections',
  description:
    'Lists the injections in force in a process, whoever made them, with their hits. With `ended`, also those that ended recently.',
  effect: 'read',
  input: {
    process: processOption,
    ended: option.optional(option.flag('Whether to list ended injections too.'), false),
  },
  output: objectOf({
    process: processSchema,
    injections: listOf(injectionSchema, 'The injections, oldest first: the last 50.'),
    more: flag('Whether there are older ones.'),
  }),
  async run({ process: asked, ended }, { connections }) {
    const process = await connections.choose(asked)
    const { client, armed } = await connections.to(process)
    const all = (await client.injections()).filter(({ status }) => ended || status !== 'ended')
    const shown = all.slice(-MAX_SHOWN)
    return {
      summary: shown.length === 0 ? 'Nothing is in force.' : shown.map(injectionLine).join('\n'),
      data: {
        process: processView(process),
        injections: shown.map((one) => injectionView(one, armed)),
        more: all.length > MAX_SHOWN,
      },
    }
  },
})

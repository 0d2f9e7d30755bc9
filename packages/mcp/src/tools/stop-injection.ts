import { option } from '@chaos/core/authoring'
import { processOption } from './process-option.js'
import { injectionSchema, objectOf, processSchema } from './schemas.js'
import { defineTool } from './tool.js'
import { injectionLine, injectionView, processView } from './views.js'

export const stopInjection = defineTool({
  name: 'stop_injection',
  title: 'Stop one injection',
  description: 'Ends one injection of a process, whoever made it, and rolls it back. Always allowed.',
  effect: 'stop',
  input: { process: processOption, id: option.text('The id of the injection.', 200) },
  output: objectOf({ process: processSchema, injection: injectionSchema }),
  async run({ process: asked, id }, { connections }) {
    const process = await connections.choose(asked)
    const { client, armed } = await connections.to(process)
    const isOwn = armed.has(id)
    const state = await client.stop(id)
    armed.delete(id)
    return {
      summary: injectionLine(state),
      data: { process: processView(process), injection: injectionView(state, new Set(isOwn ? [id] : [])) },
      detail: { process: processView(process), injection: state.id },
    }
  },
})

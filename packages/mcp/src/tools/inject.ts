import { option } from '@chaos/core/authoring'
import { howOf, injectArguments } from './inject-options.js'
import { injectionSchema, objectOf, processSchema } from './schemas.js'
import { defineTool } from './tool.js'
import { injectionLine, injectionView, processView } from './views.js'

export const inject = defineTool({
  name: 'inject',
  title: 'Inject a fault',
  description:
    'Injects a fault into a target. It ends by itself with its lease: 15 s by default, 60 s at most. Refused until a person has typed `chaos-mcp open` in a terminal; ask the person you work for, never try to get around it. Call plan first.',
  effect: 'break',
  input: {
    ...injectArguments,
    hold: option.optional(
      option.oneOf(
        ['connection', 'lease'],
        'connection: the fault also ends when this server ends, however that happens. lease: it also survives a crash of this server, until its lease ends.',
      ),
      'connection',
    ),
  },
  output: objectOf({ process: processSchema, injection: injectionSchema }),
  async run(args, { connections, arming }, call) {
    const process = await connections.choose(args.process)
    arming.assertOpen(process, args.leaseMs)
    const { client, armed } = await connections.to(process)
    call.begin({ process: processView(process), target: args.target, fault: args.fault })
    // Read again: connecting may take long.
    arming.assertOpen(process, args.leaseMs)
    const state = await client.inject(args.target, args.fault, args.options, { ...howOf(args), hold: args.hold })
    if (state.status !== 'ended') armed.add(state.id)
    return {
      summary: injectionLine(state),
      data: { process: processView(process), injection: injectionView(state, new Set([state.id])) },
      detail: { process: processView(process), injection: state.id },
    }
  },
})

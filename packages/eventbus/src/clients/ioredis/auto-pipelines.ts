import type { Steps } from '../../seams/bus.js'
import type { Command } from './command.js'

/** The private part of a client that collects commands by itself (`enableAutoPipelining`). */
interface Collecting {
  readonly _autoPipelines?: Map<string, { readonly _queue: readonly Command[] }>
}

/**
 * Recognizes the commands that a client has put into a pipeline by itself. The application has called them alone.
 *
 * @param client A `Redis` or a `Cluster`.
 */
export function autoPipelined(client: object, steps: Steps): (command: Command) => boolean {
  const pipelines = (client as Collecting)._autoPipelines
  if (pipelines === undefined) return () => false
  const commands = new WeakSet<Command>()
  // A client forgets a pipeline just before it runs it.
  steps.patch(
    pipelines,
    'delete',
    (below) =>
      function (this: unknown, slots: string): unknown {
        for (const command of pipelines.get(slots)?._queue ?? []) commands.add(command)
        return below.call.call(this, slots) as unknown
      },
  )
  return (command) => commands.has(command)
}

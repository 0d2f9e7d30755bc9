import { EXIT } from '../process/exit-codes.js'
import { entryLine, appEventLine } from '../view/lines.js'
import type { CommonFlags } from '../arguments/command-options.js'
import type { Terminal } from '../view/terminal.js'
import { interrupted, processGone, withClient } from './command.js'

/**
 * Prints events until the user interrupts. With `--json`, each line is one JSON document.
 *
 * @throws ChaosError `CHAOS_ENDPOINT_UNREACHABLE` when the connection to the process ends
 */
export function watch(flags: CommonFlags & { readonly hits?: boolean }, io: Terminal): Promise<number> {
  return withClient(flags, io, async (client) => {
    const unfollow = client.follow((entry) => {
      if (entry.type === 'hit' && flags.hits !== true) return
      if (flags.json === true) io.json(entry, { isOneLine: true })
      else io.out(entryLine(entry))
    })
    const unlisten = client.onAppEvent((event) => {
      if (flags.json === true) io.json({ type: 'app-event', ...event }, { isOneLine: true })
      else io.out(appEventLine(event))
    })
    await Promise.race([client.closed, interrupted(io.signal)])
    unfollow()
    unlisten()
    if (!io.signal.aborted) throw processGone('No further events arrive.')
    return EXIT.ok
  })
}

import type { Io } from '../io.js'
import { entryLine, noticeLine } from '../view/lines.js'
import { withClient, type CommonFlags } from './command.js'

/** Follows what happens until the user breaks off or the process is gone. With `--json` one JSON document a line. */
export function watch(flags: CommonFlags & { readonly hits?: boolean }, io: Io): Promise<void> {
  return withClient(flags, io, async (client) => {
    const unfollow = client.follow((entry) => {
      if (entry.type === 'hit' && flags.hits !== true) return
      io.out(flags.json === true ? JSON.stringify(entry) : entryLine(entry))
    })
    const unlisten = client.onNotice((notice) => io.out(flags.json === true ? JSON.stringify({ type: 'notice', ...notice }) : noticeLine(notice)))
    await Promise.race([client.closed, new Promise<void>((resolve) => io.signal.addEventListener('abort', () => resolve(), { once: true }))])
    unfollow()
    unlisten()
  })
}

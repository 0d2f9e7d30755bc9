import { hasPrograms, SERVER_TIMEOUT_MS } from '@chaos/test-servers'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { subjects } from '../src/subjects.js'
import { pinnedOf, titleOf, upTo, type Pinned } from './pinned.js'

const pinned = JSON.parse(readFileSync(new URL('./pinned.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Pinned>
>

// What follows advice on a server is for the soak.
const quick = subjects.filter(({ remedy, servers }) => remedy === undefined || servers.length === 0)

describe.each(quick)('$name', (subject) => {
  const { servers, promise } = subject
  // A run of the others waits for a server, a thread or a timer of the library: pairs are for the soak.
  const depth = subject.name === 'p-retry' ? 2 : 1
  const skipped = servers.length === 0 ? '' : ` (skipped without ${servers.join(', ')})`

  it.runIf(hasPrograms(...servers))(
    `${titleOf(subject)}: ${promise}${skipped}`,
    async () => {
      const exploration = await subject.explore({ depth, hangs: false, budgetMs: 60_000 })
      expect(exploration.result.stoppedBy, exploration.line).toBeUndefined()
      expect(pinnedOf(subject, exploration), exploration.report()).toEqual(
        upTo(depth, pinned[titleOf(subject)] as Pinned),
      )
    },
    SERVER_TIMEOUT_MS,
  )
})

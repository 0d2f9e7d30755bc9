import { hasPrograms } from '@chaos/test-servers'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { subjects } from '../src/subjects.js'
import { causesOf, titleOf } from './pinned.js'

const pinned = JSON.parse(readFileSync(new URL('./pinned-causes.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, readonly string[]>
>
const isQuick = process.env['CHAOS_SOAK'] === 'quick'

for (const subject of subjects)
  it.runIf(hasPrograms(...subject.servers) && (!isQuick || subject.servers.length === 0))(
    `finds in ${titleOf(subject)}, with all pairs and calls that hang, the causes that are known`,
    async () => {
      const exploration = await subject.explore({ depth: 2, hangs: true, budgetMs: 5 * 60_000 })
      console.log(`${titleOf(subject)}: ${exploration.line}; ${exploration.result.runs} runs`)
      expect(exploration.result.stoppedBy, exploration.line).toBeUndefined()
      expect(causesOf(exploration), exploration.report()).toEqual(pinned[titleOf(subject)])
    },
  )

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const folder = fileURLToPath(new URL('../test/table/', import.meta.url))

type Row = Readonly<Record<string, string>>
interface Table {
  readonly node: string
  readonly [fault: string]: Row | string
}

// The table is made by `npm run soak -- worker-table`, on every version.
it('is shown in the docs as the runs on all versions have found it', async () => {
  const tables = readdirSync(folder)
    .sort()
    .map((file) => JSON.parse(readFileSync(folder + file, 'utf8')) as Table)
  const versions = tables.map(({ node }) => node)
  const [first = { node: '' }] = tables
  const kinds = Object.keys(Object.values(first).at(-1) as Row)
  const cell = (fault: string, kind: string): string => {
    const found = tables.map((table) => (table[fault] as Row)[kind] ?? 'not tried')
    const shown = (text: string): string => (text === 'refused' ? '–' : text)
    return new Set(found).size === 1
      ? shown(found[0] ?? '')
      : found.map((text, index) => `${versions[index] ?? ''}: ${shown(text)}`).join('; ')
  }
  const rows = Object.keys(first)
    .filter((fault) => fault !== 'node')
    .map((fault) => [`\`${fault}\``, ...kinds.map((kind) => cell(fault, kind))])
  const table = [['fault', ...kinds], ['---', ...kinds.map(() => '---')], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
  await expect(`# Every worker fault on every kind of target

Written by the tests, which run the built package on Node.js ${versions.slice(0, -1).join(', ')} and ${versions.at(-1) ?? ''}. Each cell says what the test saw of the fault on a running target: the
exit code that the target reported; an event loop that only worked for 30 ms (event-loop utilisation) or ran late; code of the target that did not run; a process that
the system counted as stopped; CPU time or resident memory that was measured. The test then rolled the fault back and found nothing left: the target had the functions,
keys, prototypes and listeners of before, the process had no more handles and child processes than before, and a living target did its work again. –: the value is not
a target of the fault, which was refused with \`CHAOS_TARGET_MISMATCH\` before anything was touched.

A live set is a function that returns the current worker, or process. The threads of workerpool are those of \`trackWorkers()\`.

${table}
`).toMatchFileSnapshot(fileURLToPath(new URL('../../../docs/faults/worker-table.md', import.meta.url)))
})

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const folder = fileURLToPath(new URL('../../test/table/', import.meta.url))

it('shows in the docs what the suites of the bindings have found', async () => {
  const rows = readdirSync(folder)
    .sort()
    .map((file) => JSON.parse(readFileSync(folder + file, 'utf8')) as Readonly<Record<string, string>>)
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((column) => column !== 'binding')
  const table = [
    ['bus', ...columns],
    ['---', ...columns.map(() => '---')],
    ...rows.map((row) => [row['binding'], ...columns.map((column) => row[column] ?? 'not tried')]),
  ]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
  await expect(`# Every event fault on every bus

Written by the tests. \`yes\`: on a running bus, half of 20 messages were affected; the fault landed, its account balanced
(\`sent + duplicated = delivered + dropped + held\`), what arrived was what the account says, and after the rollback messages came once, unharmed and in order, with no
wrapper left. \`refused\`: the bus has no such seam, or no acknowledgements, and says so before anything is touched. The connection that \`disconnect\` cuts comes back
by itself, with its subscriptions, when the fault ends; \`for good\`: not by itself, an application makes another. Brokers and servers are real ones, started for the suites. Kafka is not among
them, since none was at hand: [what was tried instead](../recipes/kafka.md).

${table}
`).toMatchFileSnapshot(fileURLToPath(new URL('../../../../docs/faults/eventbus-table.md', import.meta.url)))
})

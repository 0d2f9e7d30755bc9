import assert from 'node:assert/strict'
import { assertRecovered, contentsOf, tried, type Tried } from './client.js'
import type { Story } from './explore-journal.js'

const entry = (content: string) => ({ title: 'A day', content })
/** What the list shows of a deleted entry. */
const NOTHING = 'nothing'

/**
 * An entry is written, changed and deleted. The journal shows the last change that it acknowledged, or a later one that it did not.
 *
 * @returns What the client saw under the faults.
 */
export const changeAndDelete: Story = async (journal, endFaults) => {
  const { http } = journal
  const all: Tried[] = []
  /** What the journal may show. */
  let possible = [NOTHING]
  const change = async (name: string, content: string, send: Parameters<typeof tried>[1]): Promise<Tried> => {
    const one = await tried(name, send)
    all.push(one)
    possible = one.answer === undefined ? [...possible, content] : [content]
    return one
  }
  const { answer } = await change('write', 'first', () => http.post(entry('first')))
  const { id } = (answer?.body ?? {}) as { readonly id?: string }
  if (id !== undefined) {
    await change('change', 'second', () => http.put(id, entry('second')))
    await change('delete', NOTHING, () => http.delete(id))
  }

  await endFaults()
  await journal.recover()
  const [shown = NOTHING, ...more] = contentsOf(await http.list())
  assert.deepEqual(more, [], 'the entry is stored more than once')
  assert.ok(possible.includes(shown), `shows ${shown} instead of ${possible.join(' or ')}`)
  await assertRecovered(journal)
  return all.map(({ text }) => text).join(', ')
}

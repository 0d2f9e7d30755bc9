import assert from 'node:assert/strict'
import { assertRecovered, contentsOf, failingParts, tried } from './client.js'
import type { Story } from './explore-journal.js'
import type { Answer } from './journal.js'

const ENTRY = { title: 'A day', content: 'It rained.' }

/**
 * An entry is written, read, and listed. What was acknowledged is never lost, and nothing is stored twice.
 *
 * @returns What the client saw under the faults.
 */
export const writeAndRead: Story = async (journal, endFaults) => {
  const { http } = journal
  const written = await tried('write', () => http.post(ENTRY))
  const { id } = (written.answer?.body ?? {}) as { readonly id?: string }
  if (written.answer !== undefined) assert.equal(written.answer.status, 201)
  const read = id === undefined ? undefined : await tried('read', () => http.get(id))
  if (read?.answer !== undefined) assertIs(read.answer, id)
  const listed = await tried('list', () => http.list())
  if (listed.answer !== undefined) assertListed(listed.answer, id)
  const failing = await failingParts(http)

  await endFaults()
  await journal.recover()
  if (id !== undefined) assertIs(await http.get(id), id)
  assertListed(await http.list(), id)
  await assertRecovered(journal)
  return [written, read, listed]
    .flatMap((one) => one?.text ?? [])
    .concat(failing)
    .join(', ')
}

function assertIs({ status, body }: Answer, id: string | undefined): void {
  assert.equal(status, 200, `the acknowledged entry is not found: ${status}`)
  const { id: found, title, content } = body as Record<string, unknown>
  assert.deepEqual({ id: found, title, content }, { id, ...ENTRY })
}

function assertListed(answer: Answer, id: string | undefined): void {
  const { length } = contentsOf(answer)
  if (id !== undefined) assert.notEqual(length, 0, 'the acknowledged entry is not listed')
  assert.ok(length <= 1, `the entry is stored ${length} times`)
}

import type { FastifyInstance } from 'fastify'
import type { Requester } from './bus-request.js'
import { entryId } from './entry-id.js'
import { HttpError } from './http-error.js'

/** An entry of the journal. */
interface Entry {
  readonly id: string
  readonly title: string
  readonly content: string
  readonly tags: readonly string[]
  readonly mood: string
  /** The time of creation, in ISO 8601. */
  readonly createdAt: string
  readonly updatedAt: string
}

/** A change of an entry. */
interface Change {
  readonly method: string
  readonly id: string
}

interface ById {
  readonly Params: { readonly id: string }
}

/**
 * Adds the journal API to a server.
 *
 * @param onChange Receives each change just before the API acknowledges it.
 */
export function addJournalApi(server: FastifyInstance, memory: Requester, onChange: (change: Change) => void): void {
  async function stored(id: string): Promise<Entry | undefined> {
    return (await memory.ask('spiral.memory.retrieve', { id }))['value'] as Entry | undefined
  }
  async function find(id: string): Promise<Entry> {
    const entry = await stored(id)
    if (entry === undefined) throw new HttpError(404, 'No entry has this id.')
    return entry
  }

  server.get('/api/journal', async () => (await memory.ask('spiral.memory.retrieve', {}))['values'])

  server.post('/api/journal', async ({ method, body, user, headers }, reply) => {
    const now = new Date().toISOString()
    const key = headers['idempotency-key']
    const entry: Entry = { id: entryId(user, key), ...fieldsOf(body), createdAt: now, updatedAt: now }
    const before = key === undefined ? undefined : await stored(entry.id)
    if (before !== undefined) return reply.code(201).send(before)
    await memory.ask('spiral.memory.store', { id: entry.id, value: entry })
    onChange({ method, id: entry.id })
    return reply.code(201).send(entry)
  })

  server.get<ById>('/api/journal/:id', ({ params: { id } }) => find(id))

  server.put<ById>('/api/journal/:id', async ({ method, params: { id }, body }) => {
    const fields = fieldsOf(body)
    const entry: Entry = { ...(await find(id)), ...fields, updatedAt: new Date().toISOString() }
    await memory.ask('spiral.memory.store', { id, value: entry })
    onChange({ method, id })
    return entry
  })

  server.delete<ById>('/api/journal/:id', async ({ method, params: { id } }, reply) => {
    await find(id)
    await memory.ask('spiral.memory.store', { id })
    onChange({ method, id })
    return reply.code(204).send()
  })
}

/** Reads the fields that a client sets. @throws HttpError 400 when a field is invalid */
function fieldsOf(body: unknown): Pick<Entry, 'title' | 'content' | 'tags' | 'mood'> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new HttpError(400, 'The body must be a JSON object.')
  const { title, content, tags = [], mood = 'neutral' } = body as Record<string, unknown>
  if (typeof title !== 'string' || title === '') throw new HttpError(400, 'The field `title` must be a non-empty text.')
  if (typeof content !== 'string' || content === '')
    throw new HttpError(400, 'The field `content` must be a non-empty text.')
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string'))
    throw new HttpError(400, 'The field `tags` must be a list of texts.')
  if (typeof mood !== 'string') throw new HttpError(400, 'The field `mood` must be a text.')
  return { title, content, tags, mood }
}

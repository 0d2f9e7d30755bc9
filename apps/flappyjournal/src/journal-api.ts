import { randomUUID } from 'node:crypto'
import type { Requester } from './bus-request.js'

/** An entry of the journal. */
interface Entry {
  readonly id: string
  readonly title: string
  readonly content: string
  readonly tags: readonly string[]
  readonly mood: string
  /** ISO 8601. */
  readonly createdAt: string
  readonly updatedAt: string
}

/** An answer of the API. */
interface Answer {
  readonly status: number
  readonly body?: unknown
}

/** The journal API, without HTTP: what to answer to a method on an id, or on all entries. */
export interface JournalApi {
  handle(method: string, id: string | undefined, body: unknown): Promise<Answer>
}

export function journalApi(memory: Requester): JournalApi {
  const find = async (id: string): Promise<Entry | undefined> =>
    (await memory.ask('spiral.memory.retrieve', { id }))['value'] as Entry | undefined
  const store = (entry: Entry): Promise<unknown> => memory.ask('spiral.memory.store', { id: entry.id, value: entry })

  async function create(body: unknown): Promise<Answer> {
    const fields = fieldsOf(body)
    if ('problem' in fields) return { status: 400, body: { error: fields.problem } }
    const now = new Date().toISOString()
    const entry: Entry = { id: randomUUID(), ...fields, createdAt: now, updatedAt: now }
    await store(entry)
    return { status: 201, body: entry }
  }

  async function replace(id: string, body: unknown): Promise<Answer> {
    const fields = fieldsOf(body)
    if ('problem' in fields) return { status: 400, body: { error: fields.problem } }
    const before = await find(id)
    if (before === undefined) return NOT_FOUND
    const entry: Entry = { ...before, ...fields, updatedAt: new Date().toISOString() }
    await store(entry)
    return { status: 200, body: entry }
  }

  async function remove(id: string): Promise<Answer> {
    if ((await find(id)) === undefined) return NOT_FOUND
    await memory.ask('spiral.memory.store', { id })
    return { status: 204 }
  }

  return {
    async handle(method, id, body) {
      if (id === undefined) {
        if (method === 'POST') return create(body)
        if (method === 'GET') return { status: 200, body: (await memory.ask('spiral.memory.retrieve', {}))['values'] }
      } else {
        if (method === 'PUT') return replace(id, body)
        if (method === 'DELETE') return remove(id)
        if (method === 'GET') {
          const entry = await find(id)
          return entry === undefined ? NOT_FOUND : { status: 200, body: entry }
        }
      }
      return { status: 405, body: { error: `Method ${method} is not allowed here.` } }
    },
  }
}

const NOT_FOUND: Answer = { status: 404, body: { error: 'There is no such entry.' } }

type Fields = Pick<Entry, 'title' | 'content' | 'tags' | 'mood'>

function fieldsOf(body: unknown): Fields | { readonly problem: string } {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return { problem: 'Expected a JSON object.' }
  const { title, content, tags = [], mood = 'neutral' } = body as Record<string, unknown>
  if (typeof title !== 'string' || title === '') return { problem: 'Expected `title` to be a text that is not empty.' }
  if (typeof content !== 'string' || content === '')
    return { problem: 'Expected `content` to be a text that is not empty.' }
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string'))
    return { problem: 'Expected `tags` to be a list of texts.' }
  if (typeof mood !== 'string') return { problem: 'Expected `mood` to be a text.' }
  return { title, content, tags: tags, mood }
}

import assert from 'node:assert/strict'
import type { Answer, Client, Journal } from './journal.js'

/** How often a client sends a request until it is answered. */
const TRIES = 3

/** What the tries of a request got. */
export interface Tried {
  /** The answer, unless each try failed. */
  readonly answer: Answer | undefined
  /** All of it, for the table of behaviours. */
  readonly text: string
}

/** Sends a request until it is answered with something else than 5xx, as a client does that does not give up at once. */
export async function tried(name: string, send: () => Promise<Answer>, most = TRIES): Promise<Tried> {
  let text = name
  for (let tries = 0; tries < most; tries += 1) {
    const answer = await send().catch(() => undefined)
    text += ` ${answer?.status ?? 'unanswered'}`
    if (answer !== undefined && answer.status < 500) return { answer, text }
  }
  return { answer: undefined, text }
}

/** What the health check says, but for the loop: a thread ends in real time, which differs between runs. */
export async function failingParts(http: Client): Promise<string> {
  const answer = await http.health().catch(() => undefined)
  if (answer === undefined) return 'health unanswered'
  const { failing } = answer.body as { readonly failing: readonly string[] }
  const others = failing.filter((part) => part !== 'loop')
  return others.length === 0 ? 'healthy' : `unhealthy: ${others.join(' and ')}`
}

/** What a list shows of its entries. */
export function contentsOf({ body }: Answer): readonly string[] {
  return (body as readonly { readonly content: string }[]).map(({ content }) => content)
}

/** What must be true of any journal when the faults have ended and it had time to recover. */
export async function assertRecovered({ app, backend, http }: Journal): Promise<void> {
  const { status, body } = await http.health()
  assert.equal(status, 200, `not healthy afterwards: ${JSON.stringify(body)}`)
  const listed = contentsOf(await http.list())
  const keys = (await backend.keys('mem:')).filter((key) => key !== 'mem:probe')
  const stored = await Promise.all(keys.map(async (key) => ((await backend.get(key)) as { content: string }).content))
  assert.deepEqual(stored, listed, 'the backend holds something else than the journal lists')
  assert.equal(app.bus.listenerCount('health:ping'), 1)
}

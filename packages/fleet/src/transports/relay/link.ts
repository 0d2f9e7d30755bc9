import { exempt } from '@chaos/core/authoring'
import net from 'node:net'
import { onMessages, send } from './lines.js'
import { answerOf, errorOf, MAX_ANSWER, type Answer, type Request } from './messages.js'

/** The most bytes of the items of one answer: those of 10,000 instances with the longest record that is usual. */
const MAX_ITEMS_BYTES = 134_217_728

/** A request without its number. */
export type Asked = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never

/** The answer to a request. */
export interface Answered {
  readonly value: unknown
  readonly items: readonly unknown[]
}

interface Waiting {
  readonly items: unknown[]
  sizeBytes: number
  readonly resolve: (answer: Answered) => void
  readonly reject: (error: unknown) => void
}

/** One connection to a relay. What waits for an answer when it ends is rejected. */
export class Link {
  readonly #socket = exempt(new net.Socket())
  readonly #waiting = new Map<number, Waiting>()
  #asked = 0
  #failure: Error | undefined

  /**
   * @param role An agent's connection does not keep the process alive. A controller's does.
   * @param onWake Called when a read may show something new.
   */
  constructor(path: string, role: 'agent' | 'controller', onWake: () => void) {
    this.#socket.on('error', (error) => (this.#failure ??= error))
    this.#socket.on('close', () => this.close(new Error('the connection was lost')))
    onMessages(
      this.#socket,
      () => MAX_ANSWER,
      (message, sizeBytes) => {
        const answer = answerOf(message)
        if (answer === undefined) this.close(new Error('it gave an answer that is none'))
        else if ('wake' in answer) onWake()
        else if ('refusal' in answer) this.close(errorOf(answer.refusal))
        else this.#take(answer, sizeBytes)
      },
    )
    this.#socket.connect({ path })
    if (role === 'agent') this.#socket.unref()
    else send(this.#socket, { id: 0, do: 'control' } satisfies Request)
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed
  }

  ask(request: Asked): Promise<Answered> {
    this.#asked += 1
    const id = this.#asked
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { items: [], sizeBytes: 0, resolve, reject })
      send(this.#socket, { ...request, id })
    })
  }

  close(why: Error): void {
    this.#failure ??= why
    this.#socket.destroy()
    for (const { reject } of this.#waiting.values()) reject(this.#failure)
    this.#waiting.clear()
  }

  #take(answer: Extract<Answer, { readonly id: number }>, sizeBytes: number): void {
    const waiting = this.#waiting.get(answer.id)
    if (waiting === undefined) return
    if ('items' in answer) {
      waiting.sizeBytes += sizeBytes
      for (const item of answer.items) waiting.items.push(item)
      if (waiting.sizeBytes > MAX_ITEMS_BYTES) this.close(new Error('its answer is too long'))
      return
    }
    this.#waiting.delete(answer.id)
    if ('error' in answer) waiting.reject(errorOf(answer.error))
    else waiting.resolve({ value: answer.value, items: waiting.items })
  }
}

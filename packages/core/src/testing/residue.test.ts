import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import { defineFault } from '../fault/define-fault.js'
import type { InjectionContext } from '../fault/fault.js'
import { inject } from '../injection/inject.js'
import { residueRecorder } from './residue.js'

class Answer {
  read(): string {
    return 'read'
  }
}
class Client extends EventEmitter {
  async send(_how: object = {}): Promise<Answer> {
    return Promise.resolve(new Answer())
  }
}

/** A fault that does something careless to what it meets, for good. */
const careless = (act: (context: InjectionContext, client: Client, answer: Answer) => void) =>
  defineFault({
    name: 'test/be-careless',
    kind: 'standing',
    summary: '',
    options: {},
    target: { expects: 'a client', accepts: () => true },
    inject(client: Client, _options, context) {
      context.patch(
        client,
        'send',
        (below) =>
          function (this: Client, ...args: unknown[]): unknown {
            return (Reflect.apply(below.call, this, args) as Promise<Answer>).then((answer) => {
              act(context, client, answer)
              return answer
            })
          },
      )
    },
  })()

it.each([
  ['nothing', () => undefined, undefined],
  [
    'a state that objects in use may change',
    (_c, _client, answer) => void Object.assign(answer, { rows: 1 }),
    undefined,
  ],
  [
    'an own member over an inherited one',
    (_c, _client, answer) => void Object.assign(answer, { read: () => '' }),
    'Answer: `read` hides',
  ],
  [
    'another prototype',
    (_c, _client, answer) => void Object.setPrototypeOf(answer, new Answer()),
    'Answer: its prototype is another',
  ],
  [
    'a key on the target',
    (_c, client) => void Object.assign(client, { chaos: 1 }),
    'Client: `chaos` at depth 0 was added',
  ],
  [
    'a listener',
    (_c, client) => void client.on('data', () => undefined),
    'Client: the listeners of `data` have changed from 1 to 2',
  ],
  [
    'a target that was frozen, which keeps its splice',
    (_c, client) => void Object.preventExtensions(client),
    'the prototype chain has',
  ],
  [
    'a slow dictionary',
    (_c, client) => {
      for (let index = 0; index < 2_000; index += 1) Reflect.set(client, `k${index}`, index)
      for (let index = 0; index < 2_000; index += 1) Reflect.deleteProperty(client, `k${index}`)
    },
    'slow dictionary',
  ],
] satisfies readonly (readonly [string, Parameters<typeof careless>[0], string | undefined])[])(
  'finds %s that a fault leaves, on the target and on what a call of it made',
  async (_what, act, words) => {
    const client = new Client().on('data', () => undefined)
    const residue = residueRecorder()
    residue.register(client)
    const injection = await inject(residue.watch(careless(act)), client)
    await client.send()
    await injection.rollback().catch(() => undefined)
    const differences = residue.differences()
    if (words === undefined) expect(differences).toEqual([])
    else expect(differences.join()).toContain(words)
  },
)

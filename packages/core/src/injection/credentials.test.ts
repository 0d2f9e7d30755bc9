import { expect, it, onTestFinished } from 'vitest'
import { defineFault, option } from '../authoring.js'
import { ChaosError, createChaos, target } from '../index.js'

const SECRET = 'hunter2-and-more'

const connectAs = defineFault({
  name: 'test/connect-as',
  kind: 'standing',
  summary: 'Connects as somebody else.',
  options: { url: option.text('A URL.'), password: option.text('A password.'), list: option.object('Anything.') },
  target: { expects: 'an object', accepts: () => true },
  inject(seen: Record<string, unknown>, options, context) {
    Object.assign(seen, options)
    context.landed({ url: options.url })
    context.defer(() => Promise.reject(new Error(`no way back to ${options.url}`)))
  },
})

it('keeps credentials out of states, the journal and errors, while the fault works with them', async () => {
  const seen: Record<string, unknown> = {}
  const chaos = createChaos({ environment: 'test', targets: { it: target(seen, [connectAs]) } })
  onTestFinished(() => chaos.close())
  const options = { url: `redis://me:${SECRET}@db`, password: SECRET, list: { headers: [{ Authorization: SECRET }] } }
  const injection = await chaos.inject('it', 'connect-as', options)
  expect(seen).toEqual(options)
  const failed: unknown = await injection.rollback().catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(ChaosError)
  const said = JSON.stringify([chaos.journal.entries, await chaos.injections(), String(failed)])
  expect(said).toContain('no way back to redis://me:[redacted]@db')
  expect(said).not.toContain(SECRET)
})

import Module, { createRequire } from 'node:module'
import { refuseCalls } from '@chaos/adapter'
import { comparison, type Case, type Suite } from '../runner/case.js'
import { arm } from '../runner/arm.js'

type Client = Readonly<Record<'get' | 'set', (key: unknown) => Promise<unknown>>>

const onAsyncCall = (name: string, prepare: (client: Client) => unknown, isPeer = true): Case =>
  comparison(name, { target: 'async-call', prepare: prepare }, { isPeer })

/** failure-lambda wants `aws-sdk`, which Lambda brings along; disabled, it never calls it, so that an empty stand-in changes nothing that is measured. */
function failureLambda(): (handler: unknown) => Client['get'] {
  const load = Reflect.get(Module, '_load') as (request: string, ...rest: unknown[]) => unknown
  Reflect.set(Module, '_load', (request: string, ...rest: unknown[]) =>
    request === 'aws-sdk' ? { SSM: Object } : load(request, ...rest),
  )
  const wrap = createRequire(import.meta.url)('failure-lambda') as (handler: unknown) => Client['get']
  Reflect.set(Module, '_load', load)
  return wrap
}

/** The decorator knows the methods of a storage adapter; `fileExists` stands for the call. */
async function flystorage(
  client: Client,
  configure: (errors: { on(method: string, makeError: () => Error): unknown }) => void,
): Promise<Client> {
  const { ChaosStorageAdapterDecorator, TriggeredErrors } = await import('@flystorage/chaos')
  const errors = new TriggeredErrors()
  configure(errors)
  const decorated = new ChaosStorageAdapterDecorator({ fileExists: client.get } as never, errors)
  return { ...client, get: (key) => decorated.fileExists(key as string, {}) }
}

export const peers: Suite = {
  name: 'peers',
  title: 'Peers',
  about:
    'Other packages on the same bare asynchronous call, in the same run, as idle as their interface allows; ours beside them.',
  cases: [
    onAsyncCall(
      '`@chaos/adapter`, after a rollback',
      async (client) => {
        await (await arm(refuseCalls({ methods: ['get', 'set'] }), client)).rollback()
        return client
      },
      false,
    ),
    onAsyncCall(
      '`@chaos/adapter`, armed for another method',
      async (client) => {
        await arm(refuseCalls({ methods: ['get', 'set'] }), client, { only: 'set' })
        return client
      },
      false,
    ),
    onAsyncCall(
      '`@chaos/adapter`, armed at rate 0',
      async (client) => {
        await arm(refuseCalls({ methods: 'get' }), client, { rate: 0 })
        return client
      },
      false,
    ),
    onAsyncCall('failure-lambda, not enabled', (client) => ({ ...client, get: failureLambda()(client.get) })),
    onAsyncCall('`@flystorage/chaos`, nothing configured', (client) => flystorage(client, () => undefined)),
    onAsyncCall('`@flystorage/chaos`, configured for another method', (client) =>
      flystorage(client, (errors) => errors.on('write', () => new Error('refused'))),
    ),
    onAsyncCall('sinon, a stub that calls through', async (client) => {
      const { default: sinon } = await import('sinon')
      sinon.stub(client, 'get').callThrough()
      return client
    }),
  ],
}

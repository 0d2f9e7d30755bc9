import { defineFault, option, optionsSchema, type Fault, type InjectOptions } from '@chaos/core'
import { refuseCalls } from '@chaos/adapter'
import { delayEvents } from '@chaos/eventbus'
import { arm } from '../arm.js'
import { comparison, type Case, type PendingCase, type Suite } from '../runner/case.js'
import { ALL_FILTERS } from './filters.js'

/** A fault of the benchmarks' own, for members that no injector breaks yet: one layer, as core lays it, and nothing else. */
const refuseMember = defineFault({
  name: 'bench/refuse-member',
  kind: 'standing',
  summary: 'Refuses calls of one member.',
  schema: optionsSchema({ member: option.text('Which.') }),
  expects: 'an object',
  accepts: (value) => typeof value === 'object' && value !== null,
  inject(target: object, { member }, context) {
    const operation = context.operation(member)
    context.patch(target, member, (below) => function (this: unknown, ...args: unknown[]): unknown {
      if (!operation.shouldInject(args)) return below.call.apply(this, args)
      throw new Error('refused')
    })
  },
})

interface Kind {
  readonly name: string
  readonly title: string
  readonly about: string
  readonly target: string
  readonly operation: string
  readonly fault: Fault
  readonly brokenOf?: (target: never) => object
  readonly pending?: PendingCase
}

const suiteOf = ({ name, title, about, target, operation, fault, brokenOf = (object) => object, pending }: Kind): Suite => {
  const armed = (caseName: string, how: InjectOptions): Case =>
    comparison(caseName, {
      target,
      prepare: async (object: never) => {
        await arm(fault, brokenOf(object) as never, how)
        return object
      },
    })
  return {
    name, title, about,
    cases: [
      armed('armed for another operation, by its exact name', { only: 'other' }),
      armed('armed for other operations, by a glob', { only: 'other*' }),
      armed('armed at rate 0', { rate: 0 }),
      armed('armed with every filter', { ...ALL_FILTERS, only: [operation, 'other*'] }),
      ...(pending === undefined ? [] : [pending]),
    ],
  }
}

export const transportSuites: readonly Suite[] = [
  suiteOf({
    name: 'event-target', title: '`EventTarget`, 1 listener', target: 'event-target', operation: 'dispatchEvent',
    about: '`target.dispatchEvent(event)`, with one layer of core’s over it: a fault of the benchmarks’ own.',
    fault: refuseMember({ member: 'dispatchEvent' }), brokenOf: ({ target }: { readonly target: object }) => target,
    pending: { name: 'with an injector’s fault', pending: 'a binding of `@chaos/eventbus` for `EventTarget`' },
  }),
  suiteOf({
    name: 'post-message', title: '`postMessage`, there and back', target: 'message-port', operation: 'postMessage',
    about: 'A message to the other end of a `MessageChannel` in the same thread and its answer, with one layer of core’s over `postMessage`: a fault of the benchmarks’ own.',
    fault: refuseMember({ member: 'postMessage' }),
    pending: { name: 'with an injector’s fault', pending: 'a fault of `@chaos/worker` for messages' },
  }),
  suiteOf({
    name: 'fetch', title: '`fetch`, there and back', target: 'fetch', operation: 'fetch',
    about: 'A request to a server in the same process, body read, with one layer of core’s over `fetch`: a fault of the benchmarks’ own.',
    fault: refuseMember({ member: 'fetch' }),
    pending: { name: 'with an injector’s fault', pending: 'a binding of `@chaos/adapter` for `fetch`' },
  }),
  suiteOf({
    name: 'ioredis', title: 'ioredis, `get`', target: 'ioredis', operation: 'get',
    about: 'A read of a missing key from Redis over loopback, with `refuseCalls` over `get`.',
    fault: refuseCalls({ methods: 'get' }),
    pending: { name: 'with the binding for ioredis', pending: 'a binding of `@chaos/adapter` for ioredis, which breaks every command at one place' },
  }),
  suiteOf({
    name: 'pg', title: 'pg, `query`', target: 'pg', operation: 'query',
    about: '`select 1` from PostgreSQL over loopback, with `refuseCalls` over `query`.',
    fault: refuseCalls({ methods: 'query' }),
    pending: { name: 'with the binding for pg', pending: 'a binding of `@chaos/adapter` for pg' },
  }),
  suiteOf({
    name: 'http-request', title: 'An HTTP server’s request', target: 'http-server', operation: 'request',
    about: 'Sixteen requests pipelined on one connection by a raw socket in the same process, with `delayEvents` on the server (an operation is an event of it).',
    fault: delayEvents({ delayMs: 1_000 }), brokenOf: ({ server }: { readonly server: object }) => server,
    pending: { name: 'with an injector’s fault', pending: 'a binding of `@chaos/adapter` for HTTP servers' },
  }),
]

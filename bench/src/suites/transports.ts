import type { Server } from 'node:http'
import { refuseCalls } from '@chaos/adapter'
import { answerRequests } from '@chaos/adapter/fetch'
import { delayRequests } from '@chaos/adapter/http'
import { redisCommands } from '@chaos/adapter/ioredis'
import { pgQueries } from '@chaos/adapter/pg'
import type { Fault, InjectOptions } from '@chaos/core'
import { delayEvents } from '@chaos/eventbus'
import type { Redis } from 'ioredis'
import type { Client } from 'pg'
import { arm } from '../runner/arm.js'
import { comparison, type Case, type Suite } from '../runner/case.js'
import { ALL_FILTERS } from './filters.js'

interface Kind {
  readonly name: string
  readonly title: string
  readonly about: string
  readonly target: string
  readonly operation: string
  readonly fault: Fault
  readonly brokenOf?: (target: never) => object
}

const suiteOf = ({ name, title, about, target, operation, fault, brokenOf = (object) => object }: Kind): Suite => {
  const armed = (caseName: string, how: InjectOptions): Case =>
    comparison(caseName, {
      target,
      prepare: async (object: never) => {
        await arm(fault, brokenOf(object) as never, how)
        return object
      },
    })
  return {
    name,
    title,
    about,
    cases: [
      armed('armed for another operation, by its exact name', { only: 'other' }),
      armed('armed for other operations, by a glob', { only: 'other*' }),
      armed('armed at rate 0', { rate: 0 }),
      armed('armed with every filter', { ...ALL_FILTERS, only: [operation, 'other*'] }),
    ],
  }
}

export const transportSuites: readonly Suite[] = [
  suiteOf({
    name: 'event-target',
    title: '`EventTarget`, 1 listener',
    target: 'event-target',
    operation: 'tick',
    about: '`target.dispatchEvent(event)` with `delayEvents` armed.',
    fault: delayEvents({ delayMs: 1_000 }),
    brokenOf: ({ target }: { readonly target: object }) => target,
  }),
  suiteOf({
    name: 'post-message',
    title: '`postMessage`, there and back',
    target: 'message-port',
    operation: 'message',
    about:
      'A message to the other end of a `MessageChannel` in the same thread and its answer, with `delayEvents` on what the port sends.',
    fault: delayEvents({ delayMs: 1_000, seam: 'publish' }),
  }),
  suiteOf({
    name: 'fetch',
    title: '`fetch`, there and back',
    target: 'fetch',
    operation: 'GET *',
    about:
      'A request to a server in the same process, body read, with `answerRequests` on the agent that carries it (an operation is a method and an address).',
    fault: answerRequests({ answer: 'http/503-retry-after' }),
    brokenOf: ({ agent }: { readonly agent: object }) => agent,
  }),
  suiteOf({
    name: 'ioredis',
    title: 'ioredis, `get`',
    target: 'ioredis',
    operation: 'GET',
    about: 'A read of a missing key from Redis over loopback, with `refuseCalls` over the commands of the client.',
    fault: refuseCalls(),
    brokenOf: (client: Redis) => redisCommands(client),
  }),
  suiteOf({
    name: 'pg',
    title: 'pg, `query`',
    target: 'pg',
    operation: 'SELECT',
    about: '`select 1` from PostgreSQL over loopback, with `refuseCalls` over the statements of the client.',
    fault: refuseCalls(),
    brokenOf: (client: Client) => pgQueries(client),
  }),
  suiteOf({
    name: 'http-request',
    title: 'An HTTP server’s request',
    target: 'http-server',
    operation: 'GET /',
    about:
      'Sixteen requests pipelined on one connection by a raw socket in the same process, with `delayRequests` on the server (an operation is a method and a path).',
    fault: delayRequests({ delayMs: 1_000 }),
    brokenOf: ({ server }: { readonly server: Server }) => server,
  }),
]

import { inject } from '@chaos/core'
import type { NatsConnection } from '@nats-io/transport-node'
import { assertType, it } from 'vitest'
import type { Bus } from '../../seams/bus.js'
import { dropEvents } from '../../faults/drop-events.js'
import { bindNats } from './index.js'

it('takes connections of NATS.js, and makes a bus of them', () => {
  const bind = (connection: NatsConnection): Bus => bindNats(connection)
  assertType<(connection: NatsConnection) => Promise<unknown>>((connection) =>
    inject(dropEvents(), bind(connection), { only: 'orders.*' }),
  )
  // @ts-expect-error -- not a connection
  bindNats(new EventTarget())
})

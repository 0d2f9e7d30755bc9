import { inject } from '@chaos/core'
import type { MqttClient } from 'mqtt'
import { assertType, it } from 'vitest'
import type { Bus } from '../../seams/bus.js'
import { dropEvents } from '../../faults/drop-events.js'
import { bindMqtt } from './index.js'

it('takes clients of mqtt.js, and makes a bus of them', () => {
  const bind = (client: MqttClient): Bus => bindMqtt(client)
  assertType<(client: MqttClient) => Promise<unknown>>((client) =>
    inject(dropEvents(), bind(client), { only: 'orders/*' }),
  )
  // @ts-expect-error -- not a client
  bindMqtt(new EventTarget())
})

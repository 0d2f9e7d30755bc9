import { copiedBytes } from '@chaos/core/authoring'
import type { SeamBinding } from '../../seams/bus.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'
import { withBaggage, type EncodedHeaders } from '../nats/headers.js'
import { protocolOf } from '../nats/protocol.js'

/** A call of `publish` that waits for the acknowledgement of the server. */
interface Publishing {
  readonly subject: string
  /** Ends the call with an acknowledgement that no server has sent. */
  readonly acknowledge: (ack: unknown) => void
}

/**
 * Binds what a JetStream client publishes, where its connection sends it: beneath the timeout and the retries of `publish`.
 *
 * The client publishes by requests. So a request is a message if a `publish` to its subject waits for an acknowledgement.
 */
export function jetStreamPublish(client: object): SeamBinding {
  const protocol = protocolOf(Reflect.get(client, 'nc') as object)
  return (tap, steps) => {
    const waiting = new Set<Publishing>()
    /** The call that runs now, before it awaits anything. */
    let current: Publishing | undefined
    const callOf = (subject: string): Publishing | undefined =>
      current ?? [...waiting].find((call) => call.subject === subject)
    const seam = methodSeam<
      readonly [
        subject: string,
        payload?: unknown,
        options?: { readonly reply?: string; readonly headers?: EncodedHeaders | undefined },
      ]
    >({
      object: protocol,
      method: 'publish',
      name: ([subject, , options]) =>
        tokenOf(options?.reply) !== undefined && callOf(subject)?.subject === subject ? subject : undefined,
      read(args) {
        const [subject, payload, options] = args
        const call = callOf(subject)
        return {
          payload,
          withPayload: (other) => replaced(args, 1, other),
          withBaggage: (write) => [subject, payload, { ...options, headers: withBaggage(options?.headers, write) }],
          isGone: () => protocol.isClosed(),
          snapshot: () => [subject, copiedBytes(payload), { ...options }],
          lose() {
            call?.acknowledge({ stream: '', seq: 0, duplicate: false })
            protocol.muxSubscriptions.get(tokenOf(options?.reply) ?? '')?.cancel()
          },
        }
      },
    })
    /** The token of a request, by its reply subject. */
    const tokenOf = (reply: string | undefined): string | undefined => {
      const { baseInbox } = protocol.muxSubscriptions
      return baseInbox !== undefined && reply?.startsWith(baseInbox) === true
        ? reply.slice(baseInbox.length)
        : undefined
    }
    seam(tap, steps)
    steps.patch(
      client,
      'publish',
      (below) =>
        function publish(this: unknown, ...args: readonly [subject: string, ...rest: readonly unknown[]]): unknown {
          const publish = (): Promise<unknown> => below.call.apply(this, args) as Promise<unknown>
          const [subject] = args
          if (!tap.covers(subject)) return publish()
          return new Promise((acknowledge, reject) => {
            const call: Publishing = { subject, acknowledge }
            const before = current
            waiting.add(call)
            current = call
            try {
              publish()
                .finally(() => waiting.delete(call))
                .then(acknowledge, reject)
            } finally {
              current = before
            }
          })
        },
    )
  }
}

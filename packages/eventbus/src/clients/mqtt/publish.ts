import type { Duplex } from 'node:stream'
import { copiedBytes } from '@chaos/core/authoring'
import type { SeamBinding } from '../../seams/bus.js'
import { callBack, callingOnce, type Callback } from '../../seams/callbacks.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'

/** A packet of mqtt.js that publishes, as the client writes it. */
interface Packet {
  readonly cmd: string
  /** Empty where an alias stands for it. */
  readonly topic: string | Uint8Array
  readonly payload: unknown
  readonly qos: number
  readonly messageId?: number
  readonly properties?: { readonly topicAlias?: number }
}

/** What a client awaits an acknowledgement for. */
interface Outgoing {
  readonly volatile: boolean
  readonly cmd: string
  readonly cb: Callback
}

/** The private part of a client that writes packets. */
interface PacketWriter {
  readonly stream: Duplex
  readonly disconnecting: boolean
  readonly outgoing: Record<number, Outgoing>
  readonly topicAliasSend?: { getTopicByAlias(alias: number): string | undefined }
  emit(name: 'outgoingEmpty'): unknown
  _nextId(): number | null
  _removeOutgoingAndStoreMessage(messageId: number, done: Callback): void
}

/**
 * Binds the packets of a client that publish, where it writes them to its connection: beneath its store, its queue for offline
 * times and its wait for acknowledgements.
 *
 * A held packet belongs to its connection and is lost with it; the client then sends what its store has, as after a broken
 * link. A packet that gives a topic its alias passes, because later packets depend on it. An affected packet carries its topic
 * instead of an alias, because the alias may have changed when the packet is sent.
 */
export function packetSeam(client: object): SeamBinding {
  const writer = client as PacketWriter
  return methodSeam<readonly [packet: Packet, written?: Callback]>({
    object: client,
    method: '_writePacket',
    name: ([packet]) => (packet.cmd === 'publish' && !givesAlias(packet) ? topicOf(writer, packet) : undefined),
    read(args) {
      const [packet] = args
      const topic = topicOf(writer, packet)
      if (topic === undefined) return undefined
      const { stream } = writer
      return {
        payload: packet.payload,
        shown: [topic, packet.payload, packet],
        withPayload: (payload) => replaced(args, 0, { ...packet, payload }),
        snapshot: () => callingOnce(replaced(args, 0, ownPacket(packet, topic))),
        // The system takes what is written, however late it arrives.
        answer: () => callBack(args),
        isGone: () => writer.stream !== stream || !stream.writable,
        lose: () => acknowledge(writer, packet),
        copy: () => replaced(args, 0, copyOf(writer, packet)),
      }
    },
  })
}

const givesAlias = ({ topic, properties }: Packet): boolean => topic.length > 0 && properties?.topicAlias !== undefined

function topicOf({ topicAliasSend }: PacketWriter, { topic, properties }: Packet): string | undefined {
  if (topic.length > 0) return String(topic)
  return properties?.topicAlias === undefined ? undefined : topicAliasSend?.getTopicByAlias(properties.topicAlias)
}

function ownPacket(packet: Packet, topic: string): Packet {
  const own = { ...packet, topic, payload: copiedBytes(packet.payload) }
  if (packet.properties === undefined) return own
  const { topicAlias: _alias, ...properties } = packet.properties
  return { ...own, properties }
}

/** Ends a packet as the acknowledgement of the broker does. */
function acknowledge(client: PacketWriter, { messageId }: Packet): void {
  if (messageId === undefined) return
  const pending = client.outgoing[messageId]
  if (pending === undefined) return
  process.nextTick(() => {
    if (client.outgoing[messageId] !== pending) return
    client._removeOutgoingAndStoreMessage(messageId, pending.cb)
    if (client.disconnecting && Object.keys(client.outgoing).length === 0) client.emit('outgoingEmpty')
  })
}

/**
 * The same message as a packet of its own, which the broker acknowledges separately. The client does not keep it beyond its
 * connection.
 */
function copyOf(client: PacketWriter, packet: Packet): Packet {
  if (packet.qos === 0) return packet
  const messageId = client._nextId()
  // All numbers of packets are in use.
  if (messageId === null) return packet
  client.outgoing[messageId] = { volatile: true, cmd: 'publish', cb: () => undefined }
  return { ...packet, messageId }
}

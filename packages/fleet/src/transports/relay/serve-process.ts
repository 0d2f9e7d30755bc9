import type { Clock } from '@chaos/core'
import type { Socket } from 'node:net'
import type { AgentTransport, ControllerTransport, Snapshot } from '../transport.js'
import { controlCall } from './control-calls.js'
import { drained, onMessages, send, sendText } from './lines.js'
import { failureOf, MAX_ANSWER, MAX_CONTROL_REQUEST, MAX_REQUEST, requestOf, type Request } from './messages.js'

/** What a relay serves its processes with. */
export interface Service {
  readonly transport: AgentTransport
  /** `undefined`: it serves agents only. */
  readonly control: ControllerTransport | undefined
  readonly clock: Pick<Clock, 'now'>
  /** The connections of controllers. */
  readonly controllers: Set<Socket>
}

/** The most connections of controllers. */
const MAX_CONTROLLERS = 32
/** The most requests of one process that wait for an answer. A controller may have many runs. */
const [MAX_PENDING, MAX_CONTROL_PENDING] = [16, 64]
/** About how many characters of items one message holds. */
const PART = 1_048_576

/**
 * Answers the requests of one local process. What makes no sense, or is more than it may ask at once, is answered with an error,
 * after which the connection is closed.
 */
export function serveProcess(socket: Socket, { transport, control, clock, controllers }: Service): void {
  let pending = 0
  let isController = false
  /** Items are sent for one request at a time, so that no more of them wait than the process reads. */
  let sending = Promise.resolve()
  socket.on('close', () => controllers.delete(socket))

  const refuse = (message: string, code = 'CHAOS_INVALID_OPTION'): void => {
    send(socket, { refusal: { code, message } })
    socket.destroySoon()
  }
  const becomesController = (): void => {
    if (control === undefined)
      refuse(
        'This relay serves agents only. Whoever starts it lets others control the fleet with the option `control`.',
        'CHAOS_FLEET_FORBIDDEN',
      )
    else if (controllers.size >= MAX_CONTROLLERS)
      refuse(`This relay has ${MAX_CONTROLLERS} controllers, which is the maximum.`, 'CHAOS_FLEET_FORBIDDEN')
    else {
      isController = true
      controllers.add(socket)
    }
  }
  const answer = async (request: Exclude<Request, { readonly do: 'control' }>): Promise<void> => {
    const { id } = request
    try {
      if (request.do === 'read') {
        const sentAt = clock.now()
        const snapshot = await transport.read(request.instance)
        send(socket, { id, value: toldOf(snapshot, clock.now() - sentAt, request.knows) })
      } else if (request.do === 'ack') {
        await transport.ack(request.runId, request.instanceId, request.ack)
        send(socket, { id })
      } else if (control !== undefined) {
        const reply = await controlCall(control, request.name, request.args)
        if ('items' in reply) await (sending = sending.then(() => sendItems(socket, id, reply.items)))
        send(socket, 'items' in reply ? { id } : { id, value: reply.value })
      }
    } catch (error) {
      send(socket, { id, error: failureOf(error) })
    }
    // It asks, and does not read what it is told.
    if (socket.writableLength > MAX_ANSWER) socket.destroy()
  }
  onMessages(
    socket,
    () => (isController ? MAX_CONTROL_REQUEST : MAX_REQUEST),
    (message) => {
      const request = requestOf(message)
      if (request === undefined) refuse('The relay got a message that is no request.')
      else if (request.do === 'control') becomesController()
      else if (request.do === 'call' && !isController)
        refuse('Only a controller may call. It says so first.', 'CHAOS_FLEET_FORBIDDEN')
      else if (pending >= (isController ? MAX_CONTROL_PENDING : MAX_PENDING))
        refuse('The relay got more requests at once than one process may have.')
      else {
        pending += 1
        void answer(request).finally(() => (pending -= 1))
      }
    },
    (what) => refuse(`The relay got ${what}.`),
  )
}

/** Sends items in messages of about one MiB, as fast as they are read. An item that fits into no message is left out. */
async function sendItems(socket: Socket, id: number, items: Iterable<unknown>): Promise<void> {
  let part: string[] = []
  let size = 0
  const flush = async (): Promise<void> => {
    sendText(socket, `{"id":${id},"items":[${part.join(',')}]}`)
    part = []
    size = 0
    await drained(socket)
  }
  for (const item of items) {
    if (socket.destroyed) return
    const text = JSON.stringify(item)
    if (text.length > PART) continue
    part.push(text)
    size += text.length
    if (size >= PART) await flush()
  }
  if (part.length > 0) await flush()
}

/**
 * Returns a snapshot as the relay tells it.
 *
 * @param passedMs The time since the read was sent. The engine may have answered at its very beginning.
 * @param knows The run whose plan the process has.
 */
function toldOf({ run, ...rest }: Snapshot, passedMs: number, knows: string | undefined): object {
  if (run === undefined) return rest
  const { signed, ...view } = run
  return {
    ...rest,
    run: { ...view, remainingMs: run.remainingMs - passedMs, ...(run.id !== knows && { signed }) },
  }
}

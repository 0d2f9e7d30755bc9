import type { Ack, AuditEntry, ControllerTransport, RunView } from '../transport.js'
import { isAck, isAuditEntry, isInstance, isObject, isRunView } from '../records.js'
import { RelayConnection, type RelayConnectionOptions } from './connection.js'
import type { ControlCall } from './control-calls.js'
import type { Answered } from './link.js'

/** Where the relay of a host is. It must have been started with `control`. */
export type RelayControllerOptions = RelayConnectionOptions

/** What a method of the transport resolves with. */
type Result<Name extends ControlCall> = Awaited<ReturnType<ControllerTransport[Name]>>

/**
 * Connects a controller, a halter or an operator to the relay of its host, on a socket that no fault affects. If the connection
 * is lost, the next call makes another.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION`. The methods reject with `CHAOS_FLEET_UNREACHABLE`, with `CHAOS_FLEET_FORBIDDEN` if
 *   the relay serves agents only, and with what the relay met.
 */
export function relayControllerTransport(options: RelayControllerOptions): ControllerTransport {
  const connection = new RelayConnection(options, 'controller')
  const call = (name: ControlCall, ...args: readonly unknown[]): Promise<Answered> =>
    connection.ask({ do: 'call', name, args })
  /** The value of an answer, of which only the fields that are named were checked: the relay runs as the same user. */
  const valueOf = async <Name extends ControlCall>(
    answer: Promise<Answered>,
    isSound: (fields: Readonly<Record<string, unknown>>) => boolean,
  ): Promise<Result<Name>> => {
    const { value } = await answer
    if (isObject(value) && isSound(value)) return value as Result<Name>
    throw connection.failed(new Error('it gave an answer that is none'))
  }
  const hasEpoch = ({ epoch }: Readonly<Record<string, unknown>>): boolean => Number.isSafeInteger(epoch)
  return {
    list: async () => (await call('list')).items.filter(isInstance),
    open: (signed, _plan, owner) =>
      valueOf<'open'>(call('open', signed, owner), ({ isOpen, epoch, why, busy }) =>
        isOpen === true ? Number.isSafeInteger(epoch) : typeof why === 'string' && (why !== 'busy' || isTexts(busy)),
      ),
    async renew(run, leaseMs, phase) {
      const { value } = await call('renew', run, leaseMs, phase)
      // Whatever else is said means that the run is not held.
      return value === 'renewed' || value === 'halted' || value === 'not-permitted' ? value : 'lost'
    },
    async close(run, plan) {
      await call('close', run, plan)
    },
    acks: async (runId) => new Map((await call('acks', runId)).items.filter(isAnswer)),
    runs: async () => (await call('runs')).items.filter((one): one is RunView => isRunView(one)),
    halt: (reason, by) => valueOf<'halt'>(call('halt', reason, by), hasEpoch),
    permit: (forMs, by, reason) => valueOf<'permit'>(call('permit', forMs, by, reason), hasEpoch),
    async status() {
      const status = await valueOf<'status'>(call('status'), hasEpoch)
      // JSON has no infinity: a permit that was written by hand may have no end.
      const openForMs = Number.isFinite(status.openForMs) ? status.openForMs : Number.POSITIVE_INFINITY
      return { ...status, openForMs, halt: status.halt }
    },
    audit: async (count, before) =>
      (await call('audit', count, before)).items.filter((one): one is AuditEntry => isAuditEntry(one)),
    async note(what, by, details) {
      await call('note', what, by, details)
    },
    onWake: (listener) => connection.onWake(listener),
    disconnect: () => connection.close(),
  }
}

const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((one) => typeof one === 'string')

const isAnswer = (value: unknown): value is readonly [string, Ack] =>
  Array.isArray(value) && typeof value[0] === 'string' && isAck(value[1])

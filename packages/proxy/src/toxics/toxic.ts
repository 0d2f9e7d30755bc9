import type { Clock } from '@chaos/core'
import type { InjectionContext } from '@chaos/core/authoring'
import { BYTE_COUNTERS, noBytes, type ByteCounters } from '../links/byte-account.js'
import type { Stage, Stream } from '../links/stage.js'
import { Encounter, type ConnectionInfo } from './encounter.js'

/** The stream or streams of each connection that a toxic affects. */
export type StreamChoice = Stream | 'both'

/** Options that every toxic on bytes has. */
interface StreamOptions {
  readonly stream: StreamChoice
}

/** A fault in force as its behaviour sees it. */
export interface InForce<out Options> {
  /** The options as they are now: an update replaces them. */
  readonly options: Options
  readonly clock: Clock
  readonly account: ByteCounters
  readonly context: Pick<InjectionContext, 'rolls'>
}

/** The place of a stage: its toxic, and the stream of the connection that it is for. */
export interface Slot<out Options> {
  readonly toxic: InForce<Options>
  readonly encounter: Encounter
  readonly connection: ConnectionInfo
  readonly stream: Stream
}

/** A connection whose upstream is not dialled yet. */
export interface Opening {
  readonly connection: ConnectionInfo
  readonly isClosed: () => boolean
  /** Goes on: to the next toxic, then to the upstream. */
  readonly proceed: () => void
  /** Ends the connection as an upstream does that nobody answers at. */
  readonly refuse: (how: 'close' | 'reset') => void
}

/** What a toxic does before the upstream of a connection is dialled. */
export type OpeningBehaviour<Options> = (toxic: InForce<Options>, encounter: Encounter, opening: Opening) => void

/** What a toxic does: to the bytes of a connection, or before its upstream is dialled. */
export interface Behaviour<Options> {
  readonly stage?: (slot: Slot<Options>) => Stage
  readonly open?: OpeningBehaviour<Options>
}

/** A fault in force on a proxy. Its options may be replaced while it is in force. */
export class Toxic implements InForce<object> {
  readonly id: string
  /** The name of the fault. */
  readonly fault: string
  readonly context: InjectionContext
  readonly streams: readonly Stream[]
  readonly account: ByteCounters
  options: Readonly<Record<string, unknown>>
  /** Whether another thread has ended it, before this thread knows. Then it affects and counts nothing more. */
  isStopped: () => boolean = () => false
  readonly #behaviour: Behaviour<object>

  /** @param behaviour Gets the options of this toxic, or those of an update, which are of the same fault. */
  constructor(
    fault: string,
    options: Readonly<Record<string, unknown>>,
    context: InjectionContext,
    behaviour: Behaviour<object>,
  ) {
    this.id = context.id
    this.fault = fault
    this.options = options
    this.context = context
    this.streams = streamsOf(options)
    this.account = behaviour.stage === undefined ? noBytes() : context.account(...BYTE_COUNTERS)
    this.#behaviour = behaviour
  }

  get clock(): Clock {
    return this.context.clock
  }

  /** Whether it acts before the upstream is dialled, and so on new connections only. */
  get isAtOpening(): boolean {
    return this.#behaviour.open !== undefined
  }

  /** Decides whether it is for a connection. Counts the connection. */
  meet(connection: ConnectionInfo): Encounter | undefined {
    if (this.isStopped()) return undefined
    const chance = this.context.operation(connection.clientAddress).chance([connection])
    return chance && new Encounter(() => !this.isStopped() && chance(), this.context.hold)
  }

  /** Whether its blast radius covers a connection, as it is now. Counts nothing. */
  covers(connection: ConnectionInfo): boolean {
    return this.context.operation(connection.clientAddress).covers([connection])
  }

  /** Makes the stage for one stream of a connection. */
  stage(encounter: Encounter, connection: ConnectionInfo, stream: Stream): Stage | undefined {
    return this.#behaviour.stage?.({ toxic: this, encounter, connection, stream })
  }

  /** Acts before the upstream of a connection is dialled. */
  open(encounter: Encounter, opening: Opening): void {
    this.#behaviour.open?.(this, encounter, opening)
  }
}

function streamsOf({ stream = 'both' }: Partial<StreamOptions>): readonly Stream[] {
  return stream === 'both' ? ['upstream', 'downstream'] : [stream]
}

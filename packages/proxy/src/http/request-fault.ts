import type { Clock } from '@chaos/core'
import type { InjectionContext } from '@chaos/core/authoring'
import { BYTE_COUNTERS, noBytes, type ByteCounters } from '../links/byte-account.js'
import type { Stage, Stream } from '../links/stage.js'
import { Encounter } from '../toxics/encounter.js'
import type { InForce, Slot } from '../toxics/toxic.js'
import type { Answer } from './answer.js'
import type { HeaderLines } from './header-lines.js'
import { operationOf, type RequestInfo } from './request-info.js'

/** A request that waits at a fault. One of `proceed`, `answer` and `abort` is called, at once or later. */
export interface Passage {
  /** Whether nobody waits for the answer any more. */
  readonly isOver: () => boolean
  /** Goes on: to the next fault, then to the upstream or the client. */
  readonly proceed: () => void
  /** Answers in place of the upstream. */
  readonly answer: (answer: Answer) => void
  /** Ends the client's connection. */
  readonly abort: (how: HowToEnd) => void
}

/** `close`: the connection ends in order (FIN), behind what was sent. `reset`: it is reset (RST), behind what was sent. */
export type HowToEnd = 'close' | 'reset'

/** Decides how a chosen request goes on. */
export type Gate<Options> = (options: Options, encounter: Encounter, passage: Passage, info: RequestInfo) => void

/** The body of a message that a stage is for. */
export interface BodySlot<out Options> extends Slot<Options> {
  /** Says how the connections end when the stage cuts the body. Default: `close`. */
  readonly endsWith: (how: HowToEnd) => void
}

/** What a fault does to the requests that it was chosen for. Each part is optional. */
export interface RequestBehaviour<Options> {
  /** Before the upstream gets the request. */
  readonly onRequest?: Gate<Options>
  /** When the upstream has answered, before the client gets the head of the answer. */
  readonly onAnswer?: Gate<Options>
  /** Changes the headers of one of the two messages. */
  readonly headers?: { readonly of: Stream; readonly change: (lines: HeaderLines) => HeaderLines }
  /** Acts on the bytes of one of the two bodies. */
  readonly body?: { readonly of: Stream; readonly stage: (slot: BodySlot<Options>) => Stage }
}

/** A fault in force on an HTTP proxy. */
export class RequestFault implements InForce<object> {
  readonly id: string
  readonly account: ByteCounters

  /** @param fault The name of the fault. */
  constructor(
    readonly fault: string,
    readonly options: object,
    readonly context: InjectionContext,
    readonly behaviour: RequestBehaviour<object>,
  ) {
    this.id = context.id
    this.account = behaviour.body === undefined ? noBytes() : context.account(...BYTE_COUNTERS)
  }

  get clock(): Clock {
    return this.context.clock
  }

  /** Decides whether it is for a request. Counts the request. */
  meet(info: RequestInfo): Encounter | undefined {
    const chance = this.context.operation(operationOf(info)).chance([info])
    return chance && new Encounter(chance, this.context.hold)
  }
}

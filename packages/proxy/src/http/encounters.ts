import type { Link } from '../links/link.js'
import type { Stage, Stream } from '../links/stage.js'
import type { Encounter } from '../toxics/encounter.js'
import { hitsOf, PastHits, type Hit } from '../toxics/hits.js'
import type { Body } from './body.js'
import type { HeaderLines } from './header-lines.js'
import type { HowToEnd, Passage, RequestFault } from './request-fault.js'
import type { RequestInfo } from './request-info.js'

interface Met {
  readonly fault: RequestFault
  readonly encounter: Encounter
  /** Its stages, and where they are. */
  readonly stages: Map<Stage, Link>
}

/** The faults that were chosen for one request, in the order in which they were injected. */
export class Encounters {
  readonly #info: RequestInfo
  readonly #past = new PastHits()
  #met: readonly Met[]

  /** Has each fault decide whether it is for this request. */
  constructor(faults: readonly RequestFault[], info: RequestInfo) {
    this.#info = info
    this.#met = faults.flatMap((fault) => {
      const encounter = fault.meet(info)
      return encounter === undefined ? [] : [{ fault, encounter, stages: new Map<Stage, Link>() }]
    })
  }

  /** The faults that have affected the request: those that have ended, and then those in force. */
  get hits(): readonly Hit[] {
    return this.#past.with(hitsOf(this.#met))
  }

  /** Passes the gates of the faults, one after the other. */
  pass(gate: 'onRequest' | 'onAnswer', passage: Passage): void {
    const met = this.#met.filter(({ fault }) => fault.behaviour[gate] !== undefined)
    const next = (): void => {
      if (passage.isOver()) return
      const [first] = met.splice(0, 1)
      if (first === undefined) passage.proceed()
      else {
        const { fault, encounter } = first
        fault.behaviour[gate]?.(fault.options, encounter, { ...passage, proceed: next }, this.#info)
      }
    }
    next()
  }

  /** Changes the headers of a message. */
  changed(of: Stream, lines: HeaderLines): HeaderLines {
    return this.#met.reduce((changed, { fault: { behaviour }, encounter }) => {
      const { headers } = behaviour
      return headers?.of === of && encounter.hit() ? headers.change(changed) : changed
    }, lines)
  }

  /** Begins to pass a body on, through the stages of the faults. */
  carry(of: Stream, body: Body, endsWith: (how: HowToEnd) => void): void {
    const stages = this.#met.flatMap(({ fault, encounter, stages: own }) => {
      const { behaviour } = fault
      if (behaviour.body?.of !== of) return []
      const stage = behaviour.body.stage({ toxic: fault, encounter, connection: this.#info, stream: of, endsWith })
      own.set(stage, body.link)
      return [stage]
    })
    body.start(stages)
  }

  /** Takes a fault out, since it has ended, and remembers whether it has affected the request. */
  leave(fault: RequestFault): void {
    const left = this.#met.find((one) => one.fault === fault)
    if (left === undefined) return
    if (left.encounter.isHit) this.#past.add({ id: fault.id, fault: fault.fault })
    this.#met = this.#met.filter((one) => one !== left)
    for (const [stage, link] of left.stages) link.remove(stage)
    left.encounter.end()
  }

  /** The request is over. */
  end(): void {
    for (const { encounter } of this.#met) encounter.end()
  }
}

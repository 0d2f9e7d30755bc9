import type { Link } from '../links/link.js'
import type { Stage, Stream } from '../links/stage.js'
import type { ConnectionInfo, Encounter } from '../toxics/encounter.js'
import { hitsOf, PastHits, type Hit } from '../toxics/hits.js'
import type { Toxic } from '../toxics/toxic.js'

/** A toxic that was chosen for a connection, and its stages with the links that they are on. */
interface Met {
  readonly fault: Toxic
  readonly encounter: Encounter
  readonly stages: Map<Stage, Link>
}

/** The toxics that were chosen for one connection. Most connections never meet any, and this costs them nothing. */
export class MetToxics {
  /** In the order in which they came. */
  #met: Map<Toxic, Met> | undefined
  readonly #past = new PastHits()

  /** The toxics that have affected the connection: those that have ended, and then those in force. */
  get hits(): readonly Hit[] {
    return this.#past.with(hitsOf(this.#all))
  }

  /** Those that act before the upstream is dialled. */
  get atOpening(): readonly { readonly fault: Toxic; readonly encounter: Encounter }[] {
    return this.#all.filter(({ fault }) => fault.isAtOpening)
  }

  has(toxic: Toxic): boolean {
    return this.#met?.has(toxic) === true
  }

  /** Whether a toxic has affected the connection. */
  isHitBy(toxic: Toxic): boolean {
    return this.#met?.get(toxic)?.encounter.isHit === true
  }

  /** Has a toxic decide whether it is for the connection, and puts its stages in force. */
  meet(toxic: Toxic, info: ConnectionInfo, links: Readonly<Record<Stream, Link>>): void {
    const encounter = toxic.meet(info)
    if (encounter === undefined) return
    const stages = new Map<Stage, Link>()
    this.#met ??= new Map()
    this.#met.set(toxic, { fault: toxic, encounter, stages })
    for (const stream of toxic.streams) {
      const stage = toxic.stage(encounter, info, stream)
      if (stage === undefined) continue
      stages.set(stage, links[stream])
      links[stream].add(stage)
    }
  }

  /** Takes the stages of a toxic out that has ended, and remembers whether it has affected the connection. */
  end(toxic: Toxic): void {
    if (this.isHitBy(toxic)) this.#past.add({ id: toxic.id, fault: toxic.fault })
    this.leave(toxic)
  }

  /** Takes the stages of a toxic out. */
  leave(toxic: Toxic): void {
    const met = this.#met?.get(toxic)
    if (met === undefined) return
    this.#met?.delete(toxic)
    for (const [stage, link] of met.stages) link.remove(stage)
    met.encounter.end()
  }

  /** Has the stages of a toxic follow its new options. */
  edit(toxic: Toxic): void {
    for (const [stage, link] of this.#met?.get(toxic)?.stages ?? []) link.edit(stage)
  }

  /** The connection has ended. */
  close(): void {
    const met = this.#all
    this.#met = undefined
    for (const { encounter } of met) encounter.end()
  }

  get #all(): readonly Met[] {
    return this.#met === undefined ? [] : [...this.#met.values()]
  }
}

import { addFinding, type Finding, type OnFound } from './finding.js'
import type { Memory } from './memory.js'
import { chainOf, placeId, placesOf, planId, pointId, type Hit, type Run, type Subject } from './model.js'
import { setId, type HitSet } from './sets.js'
import { brokenBy, shrink, type Broken, type Shrunk } from './shrink.js'

/** How often a set is run until its hits are reached. */
const ATTEMPTS = 3

/** One run of a set. */
export interface Trial {
  readonly run: Run
  /**
   * Whether the call of every hit was made. A fault may let its call pass, as one that loses replies does if there is no reply: the
   * set then does what it does without that hit.
   */
  readonly isReached: boolean
}

/** Runs sets, and learns from each run: new points, findings, what cannot be relied on. */
export class Trials {
  runs = 0
  findings: readonly Finding[] = []
  readonly notRepeated: { readonly hits: readonly Hit[]; readonly reason: string }[] = []
  readonly notReached: (readonly Hit[])[] = []
  spoiledBy: readonly Hit[] | undefined
  readonly #closed = new Set<string>()
  readonly #subject: Subject

  constructor(
    subject: Subject,
    readonly memory: Memory,
    readonly onFound: OnFound | undefined,
  ) {
    this.#subject = (plan) => {
      this.runs += 1
      return subject(plan)
    }
  }

  /** Whether a set has not been tried. */
  isOpen(set: HitSet): boolean {
    return this.memory.runOf(set) === undefined && !this.#closed.has(setId(set))
  }

  /** Runs a set and learns from it. */
  async run(set: HitSet): Promise<void> {
    let trial = await this.tryOut(set)
    for (let more = 1; more < ATTEMPTS && !trial.isReached && this.#shouldReach(set); more += 1)
      trial = await this.tryOut(set)
    await this.accept(set, trial)
  }

  /** Runs a set. */
  async tryOut(set: HitSet): Promise<Trial> {
    const plan = this.memory.hits.plan(set)
    const run = await this.#subject(plan)
    const reached = placesOf(run.reached)
    return {
      run,
      isReached: plan.every(({ point, kind }, n) => run.landed[n] === true || reached.has(placeId(point, kind))),
    }
  }

  /** Learns from a run. */
  async accept(set: HitSet, { run, isReached }: Trial): Promise<void> {
    const plan = this.memory.hits.plan(set)
    if (isReached || !this.#shouldReach(set)) this.memory.remember(set, run)
    else {
      this.#closed.add(setId(set))
      this.notReached.push(plan)
    }
    this.memory.hits.add(run.reached)
    this.#findRetries(plan, run)
    await this.#judge(plan, run)
  }

  /** Whether earlier runs reached every point of a set. If one did not, the set is run to see just that. */
  #shouldReach(set: HitSet): boolean {
    return this.memory.resolve(set) === undefined
  }

  /** A later call of a chain that is made only since an earlier one was hit is a retry: the earlier may then be hit for good. */
  #findRetries(plan: readonly Hit[], { reached }: Run): void {
    const { hits } = this.memory
    for (const hit of plan) {
      if (hit.times === 'always') continue
      const isRetried = reached.some(
        ({ point }) =>
          point.call > hit.point.call &&
          chainOf(point) === chainOf(hit.point) &&
          !hits.isFirst(pointId(point)) &&
          !hits.isExcluded(pointId(point)),
      )
      if (isRetried && (hits.isFirst(pointId(hit.point)) || !this.#lastsFromEarlier(hit))) hits.addLasting(hit)
    }
  }

  /** Whether an earlier call of the chain can be hit for good. A retry is hit together with it. */
  #lastsFromEarlier(hit: Hit): boolean {
    return this.memory.hits.hits.some(
      (other) =>
        other.times === 'always' && this.memory.hits.areOfOneChain(other, hit) && other.point.call < hit.point.call,
    )
  }

  /** Turns a run that broke into a finding, if it breaks again. */
  async #judge(plan: readonly Hit[], run: Run): Promise<void> {
    const broken = brokenBy(plan, run)
    if (broken === undefined) return
    const health = await this.#subject([])
    if (health.outcome.verdict === 'breaks') this.spoiledBy = plan
    else if (this.#isKnown(broken.hits)) return
    const shrunk = this.spoiledBy === undefined ? await this.#shrink(broken) : undefined
    if (shrunk === undefined || shrunk.hits.length === 0) {
      if (this.spoiledBy === undefined) this.notRepeated.push(broken)
      else this.findings = addFinding(this.findings, { hits: plan, reason: broken.reason }, this.onFound)
      return
    }
    if (this.findings.some(({ hits, twins }) => [hits, ...twins].some((one) => planId(one) === planId(shrunk.hits))))
      return
    this.findings = addFinding(this.findings, shrunk, this.onFound)
    const failing = shrunk.hits.map((hit) => this.memory.hits.indexOf(hit))
    if (!failing.includes(undefined)) this.memory.addFailing((failing as number[]).sort((one, other) => one - other))
  }

  /** @throws What a run throws. The set is then reported as it broke the test. */
  async #shrink({ hits, reason }: Broken): Promise<Shrunk | undefined> {
    try {
      return await shrink(hits, this.#subject)
    } catch (error) {
      this.findings = addFinding(this.findings, { hits, reason }, this.onFound)
      throw error
    }
  }

  /** Whether a set contains a finding. */
  #isKnown(hits: readonly Hit[]): boolean {
    const set = hits.flatMap((hit) => this.memory.hits.indexOf(hit) ?? [])
    return this.memory.failing.some((failing) => this.memory.contains(set, failing))
  }
}

import { inject, isChaosError, type Injection } from '@chaos/core'
import { globMatcher, rolls } from '@chaos/core/authoring'
import type { ConnectionInfo, Proxy } from '../index.js'
import { ApiError, toxicNotFound } from './api-error.js'
import { keepInForce, LONGEST_LEASE_MS } from './keep-in-force.js'
import type { ToxicChange, ToxicInput } from './read-input.js'
import type { ToxicBudget } from './toxic-budget.js'
import { faultOf, readAttributes, type Attributes } from './toxic-types.js'

/** A toxic as JSON. */
export interface ToxicShape {
  readonly attributes: Attributes
  readonly name: string
  readonly type: string
  readonly stream: string
  readonly toxicity: number
  /** Only of a toxic that has a lease. */
  readonly leaseMs?: number
  /** Only of a toxic that was made with a seed. */
  readonly seed?: string
  /** Only of a toxic that was made with a limit. */
  readonly limit?: number
  /** Only of a toxic that was made for some clients. */
  readonly only?: readonly string[]
}

/** What all toxics of a server have in common. */
export interface ToxicSettings {
  /** The seed of toxics that name none. */
  readonly seed: string
  /** The longest lease, and that of toxics that name none, in ms. `undefined`: those have none. */
  readonly maxLeaseMs: number | undefined
  readonly budget: ToxicBudget
}

/** A toxic of the API: a fault in force on a proxy. */
export class ApiToxic {
  readonly #input: ToxicInput
  readonly #leaseMs: number | undefined
  readonly #roll: (ordinal: number) => number
  readonly #isFor: (clientAddress: string) => boolean
  readonly #seed: string
  #toxicity: number
  #attributes: Attributes
  #injection: Injection | undefined

  /**
   * Checks a toxic. It is not in force yet.
   *
   * @param of The name of its proxy.
   * @throws ApiError 400 for an invalid attribute or lease.
   */
  constructor(input: ToxicInput, of: string, settings: ToxicSettings) {
    this.#input = input
    this.#toxicity = input.toxicity
    this.#attributes = readAttributes(input.type, input.attributes)
    faultOf(input.type, this.#attributes, input.direction)
    this.#leaseMs = leaseOf(input.leaseMs, settings.maxLeaseMs)
    this.#seed = input.seed ?? settings.seed
    this.#isFor = input.only === undefined ? () => true : globMatcher(input.only)
    // Names and seeds decide, so that toxics and connections in between change nothing.
    this.#roll = rolls(this.#seed, `${of}/${input.name}`, 'toxicity')
  }

  get name(): string {
    return this.#input.name
  }

  get direction(): ToxicInput['direction'] {
    return this.#input.direction
  }

  /** The id of its injection. */
  get id(): string | undefined {
    return this.#injection?.id
  }

  get shape(): ToxicShape {
    const { name, type, stream, seed, limit, only } = this.#input
    return {
      attributes: this.#attributes,
      name,
      type,
      stream,
      toxicity: this.#toxicity,
      ...(this.#leaseMs === undefined ? {} : { leaseMs: this.#leaseMs }),
      ...(seed === undefined ? {} : { seed }),
      ...(limit === undefined ? {} : { limit }),
      ...(only === undefined ? {} : { only }),
    }
  }

  /** Connections that it has affected since it was made, and its bytes. */
  get counters(): Readonly<Record<string, number>> {
    const { affected = 0, account = {} } = this.#injection ?? {}
    return { affected, ...account }
  }

  /** Puts it in force. @param onEnded Called when it has ended, for whatever reason. */
  async begin(proxy: Proxy, onEnded: () => void): Promise<void> {
    const { type, direction, limit } = this.#input
    const injection = await inject(faultOf(type, this.#attributes, direction), proxy, {
      leaseMs: this.#leaseMs ?? LONGEST_LEASE_MS,
      seed: this.#seed,
      targetName: proxy.name,
      only: (args) => this.#covers(args[0] as ConnectionInfo),
      ...(limit === undefined ? {} : { limit }),
    })
    this.#injection = injection
    if (this.#leaseMs === undefined) keepInForce(injection)
    void injection.done.then(onEnded)
  }

  /**
   * Changes it, completely or not at all. Each connection keeps its roll, so that only a change of toxicity changes which
   * connections it is for.
   *
   * @throws ApiError 400 for an invalid attribute.
   */
  update(proxy: Proxy, { toxicity = this.#toxicity, attributes: changed }: ToxicChange): void {
    const { type, direction } = this.#input
    const attributes = readAttributes(type, changed, this.#attributes)
    const fault = faultOf(type, attributes, direction)
    const { id } = this
    if (id === undefined) throw toxicNotFound()
    try {
      proxy.update(id, fault)
    } catch (error) {
      // Its lease has just ended.
      throw isChaosError(error, 'CHAOS_UNKNOWN_INJECTION') ? toxicNotFound() : error
    }
    this.#attributes = attributes
    this.#toxicity = toxicity
    proxy.reconsider(id)
  }

  async end(): Promise<void> {
    await this.#injection?.rollback()
  }

  #covers({ clientAddress, ordinal }: ConnectionInfo): boolean {
    return this.#isFor(clientAddress) && this.#roll(ordinal) < this.#toxicity
  }
}

function leaseOf(leaseMs: number | undefined, maxLeaseMs: number | undefined): number | undefined {
  const most = maxLeaseMs ?? LONGEST_LEASE_MS
  if (leaseMs !== undefined && (leaseMs < 1 || leaseMs > most))
    throw new ApiError(400, `invalid leaseMs: expected 1 to ${most}, got ${leaseMs}`)
  return leaseMs ?? maxLeaseMs
}

import type { Chance, Held, HeldWork, InjectionContext } from '@chaos/core/authoring'

/** What faults know of a connection. The predicate `only` gets it as the first argument. */
export interface ConnectionInfo {
  /** The number of the connection at its proxy: 1, 2, 3 … */
  readonly ordinal: number
  /** The address of the client: `127.0.0.1`. */
  readonly clientAddress: string
  readonly clientPort: number
  /** The server that the client asks for in TLS (SNI), in lower case, if it does and the proxy reads it. */
  readonly serverName?: string | undefined
  /** The protocols that the client offers in TLS (ALPN), if the proxy reads them. */
  readonly alpnProtocols?: readonly string[]
}

/** A toxic and a connection that it was chosen for. The decision is made once and kept until either of them ends. */
export class Encounter {
  readonly #chance: Chance
  readonly #hold: InjectionContext['hold']
  #isHit: boolean | undefined
  #held: Held | undefined
  #isOver = false

  constructor(chance: Chance, hold: InjectionContext['hold']) {
    this.#chance = chance
    this.#hold = hold
  }

  /** Whether the toxic has affected the connection. */
  get isHit(): boolean {
    return this.#isHit === true
  }

  /**
   * Counts the hit, the first time. Returns whether the toxic may affect the connection: its limit may be spent.
   *
   * @param work What the hit holds back. Default: nothing that is ever due, held while the connection lives, so that an
   *   injection whose limit is spent ends only after its last connection.
   */
  hit(work: HeldWork = WHILE_IT_LIVES): boolean {
    if (this.#isHit !== undefined) return this.#isHit
    this.#isHit = this.#chance()
    if (this.#isHit && !this.#isOver) this.#held = this.#hold(work)
    return this.#isHit
  }

  /** The connection has ended, or the toxic no longer covers it. */
  end(): void {
    this.#isOver = true
    this.#held?.drop()
  }
}

const WHILE_IT_LIVES: HeldWork = { afterMs: Number.POSITIVE_INFINITY, run: () => undefined }

import { formatAddress, type Address } from '../sockets/address.js'
import { Changes } from './changes.js'

/** What a proxy listens by. */
interface Listening {
  /** Where it listens, with the port that the system chose. */
  readonly address: Address
  readonly close: () => void | Promise<void>
}

/** What a proxy of any kind is to where it listens: it begins, stops, moves and ends, one change after the other. */
export abstract class ListeningProxy<Listener extends Listening> implements AsyncDisposable {
  readonly name: string
  readonly #changes: Changes
  #address: Address
  #listener: Listener | undefined

  /** @param maker The function that makes such a proxy. */
  constructor(name: string, maker: string, address: Address) {
    this.name = name
    this.#changes = new Changes(name, maker)
    this.#address = address
  }

  get listen(): string {
    return formatAddress(this.#address)
  }

  get host(): string {
    return this.#address.host
  }

  get port(): number {
    return this.#address.port
  }

  get enabled(): boolean {
    return this.#listener !== undefined
  }

  enable(): Promise<void> {
    return this.#changes.make(async () => {
      this.assertOpen()
      if (this.#listener === undefined) await this.#listen(this.#address)
    })
  }

  disable(): Promise<void> {
    return this.#changes.make(() => this.#stop())
  }

  close(): Promise<void> {
    return this.#changes.close(() => this.#stop())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What it listens by, while it does. */
  protected get listener(): Listener | undefined {
    return this.#listener
  }

  /** @throws ChaosError `CHAOS_PROXY_CLOSED` if the proxy is closed. */
  protected assertOpen(): void {
    this.#changes.assertOpen()
  }

  /**
   * Listens elsewhere, and sends what comes from then on elsewhere. If either changes anything, all live traffic is closed. If
   * the new address is taken, nothing has changed.
   *
   * @param redirect Changes the upstream. Returns whether it was another one.
   */
  protected relocate(to: Address | undefined, redirect: () => boolean): Promise<void> {
    return this.#changes.make(async () => {
      this.assertOpen()
      const hasMoved = to !== undefined && (to.port === 0 || formatAddress(to) !== this.listen)
      if (hasMoved) await this.#move(to)
      if (redirect() || hasMoved) await this.closeTraffic()
    })
  }

  /** Listens at an address. */
  protected abstract bind(address: Address): Promise<Listener>

  /** Closes all connections, or sessions, that are open now. */
  protected abstract closeTraffic(): Promise<void>

  async #listen(address: Address): Promise<void> {
    this.#listener = await this.bind(address)
    this.#address = this.#listener.address
  }

  /** Listens at a new address before it leaves the old one, so that a failure changes nothing. */
  async #move(to: Address): Promise<void> {
    const old = this.#listener
    if (old === undefined) {
      this.#address = to
      return
    }
    if (to.port !== this.port) {
      await this.#listen(to)
      await old.close()
      return
    }
    // The same port of another host may be one that the old listener covers.
    const back = this.#address
    this.#listener = undefined
    await old.close()
    try {
      await this.#listen(to)
    } catch (error) {
      await this.#listen(back)
      throw error
    }
  }

  async #stop(): Promise<void> {
    const listener = this.#listener
    this.#listener = undefined
    await Promise.all([listener?.close(), this.closeTraffic()])
  }
}

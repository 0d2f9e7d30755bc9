import { NO_HELLO, type ClientHello } from '../tls/client-hello.js'
import { HelloReader } from '../tls/hello-reader.js'

/** Finds out what a client says when it begins TLS. */
export class Greeting {
  /** What the client says. {@link NO_HELLO} until it is known. */
  hello: ClientHello = NO_HELLO
  readonly #reader = new HelloReader()
  #onHello: (() => void) | undefined

  /** Whether the client is still waited for. */
  get isAwaited(): boolean {
    return this.#onHello !== undefined
  }

  /** @param onHello Called once: when the client has said it, when it speaks no TLS, or when it is not waited for any longer. */
  await(onHello: () => void): void {
    this.#onHello = onHello
  }

  /** Looks at bytes, which stay as they are. */
  read(bytes: Buffer): void {
    if (this.#onHello === undefined) return
    const hello = this.#reader.read(bytes)
    if (hello !== undefined) this.#finish(hello)
  }

  /** Waits no longer. */
  giveUp(): void {
    this.#finish(NO_HELLO)
  }

  #finish(hello: ClientHello): void {
    const done = this.#onHello
    this.#onHello = undefined
    this.hello = hello
    done?.()
  }
}

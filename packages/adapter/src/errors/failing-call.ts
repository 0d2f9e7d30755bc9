/** What is known of a call that fails. A preset uses what the real error names, and nothing else. */
export interface FailingCall {
  /** Where the service is said to be. */
  readonly host: string
  /** Its port. */
  readonly port: number
  /** The method that was called, and with what. Drivers put both into their errors. */
  readonly method?: string
  readonly args?: readonly unknown[]
  /** The object it was called on: the same outage reads differently from different clients of one server. */
  readonly target?: unknown
}

/** A named outage: makes a fresh error each time. */
export type ErrorMaker = (call: FailingCall) => Error

/** The argument at `index`, where it is a text. */
export function textArgument(args: readonly unknown[] | undefined, index = 0): string | undefined {
  const value = args?.[index]
  return typeof value === 'string' ? value : undefined
}

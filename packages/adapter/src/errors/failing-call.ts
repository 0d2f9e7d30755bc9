/** The details of a failing call. A preset uses only those that the real error contains. */
export interface FailingCall {
  /** The host of the service. */
  readonly host: string
  /** The port of the service. */
  readonly port: number
  /** The called method and its arguments. Drivers put both into their errors. */
  readonly method?: string
  readonly args?: readonly unknown[]
  /** The object that the method was called on. The same outage looks different in different clients of one server. */
  readonly target?: unknown
}

/** A preset: makes a new error each time. */
export type ErrorMaker = (call: FailingCall) => Error

/** Returns the argument at `index` if it is a string. */
export function textArgument(args: readonly unknown[] | undefined, index = 0): string | undefined {
  const value = args?.[index]
  return typeof value === 'string' ? value : undefined
}

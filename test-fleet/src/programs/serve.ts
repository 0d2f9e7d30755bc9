/** What a program does when it is asked to. Arguments and results travel as JSON. */
export type Handlers = Readonly<Record<string, (argument: never) => unknown>>

/** A call of the process that has started this one. */
export interface Call {
  readonly call: number
  readonly method: string
  readonly argument: unknown
}

/** What a program says: the answer to a call, or news. */
export type Said =
  | { readonly call: number; readonly result: unknown }
  | { readonly call: number; readonly failure: string }
  | { readonly news: unknown }

/** Answers the calls of the process that has started this one, and ends with it. */
export function serve(handlers: Handlers): void {
  process.on('disconnect', () => process.exit())
  process.on('message', ({ call, method, argument }: Call) => {
    const answer = async (): Promise<Said> => {
      try {
        return { call, result: await handlers[method]?.(argument as never) }
      } catch (error) {
        return { call, failure: String(error) }
      }
    }
    void answer().then(say)
  })
}

/** Tells the process that has started this one. A process that ends cannot be told any more. */
export function say(said: Said): void {
  if (process.connected) process.send?.(said, undefined, undefined, () => undefined)
}

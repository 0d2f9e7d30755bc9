/** An error as a runner reports it. */
export interface ReportedError {
  message: string
  stack?: string | undefined
}

/** Begins each explanation. */
export const EXPLANATION = 'Chaos in this test'

/** Appends an explanation to the message of an error, also where its stack repeats the message. An explained error stays as it is. */
export function amend(error: ReportedError, explanation: string): void {
  const { message, stack } = error
  if (message.includes(EXPLANATION)) return
  const amended = message === '' ? explanation : `${message}\n\n${explanation}`
  error.message = amended
  if (stack !== undefined && message !== '') error.stack = stack.replace(message, () => amended)
}

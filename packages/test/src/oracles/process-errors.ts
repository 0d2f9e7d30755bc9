import { currentScope, type Scope } from '@chaos/core'

/** The events by which Node.js reports errors that nobody handles. */
const EVENTS = ['unhandledRejection', 'uncaughtException'] as const

/** An error that nobody handled. */
export interface ProcessError {
  readonly error: unknown
  /** The scope of the work that failed, if Node.js knows it: not always for an exception. */
  readonly scope: Scope | undefined
}

/** The errors of a process that nobody handled. */
export interface ProcessErrors {
  /** The errors since the last call. */
  readonly take: () => readonly ProcessError[]
  /** Gives the events back to those who listened before. */
  readonly stop: () => void
}

/**
 * Takes over unhandled rejections and uncaught exceptions. While a search runs they are an outcome of the run, and no reason for
 * a test runner to fail the test, or for Node.js to end the process.
 */
export function takeProcessErrors(): ProcessErrors {
  let errors: ProcessError[] = []
  const onError = (error: unknown): void => {
    errors.push({ error, scope: currentScope() })
  }
  const before = EVENTS.map((event) => [event, process.listeners(event as 'uncaughtException')] as const)
  for (const [event] of before) {
    process.removeAllListeners(event)
    process.on(event, onError)
  }
  return {
    take: () => {
      const taken = errors
      errors = []
      return taken
    },
    stop: () => {
      for (const [event, listeners] of before) {
        process.off(event, onError)
        for (const listener of listeners) process.on(event, listener)
      }
    },
  }
}

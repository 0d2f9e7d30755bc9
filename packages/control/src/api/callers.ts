import type { ServerResponse } from 'node:http'

/** A client that may disconnect before it has its answer. */
export interface Caller {
  readonly hasLeft: boolean
  /** Calls the listener when the client disconnects. @returns Removes the listener. */
  onLeft(listener: () => void): () => void
}

/** The client of a response. The client has left if its connection closes before the answer is sent. */
export function callerOf(res: ServerResponse): Caller {
  const hasLeft = (): boolean => res.destroyed && !res.writableEnded
  return {
    get hasLeft() {
      return hasLeft()
    },
    onLeft(listener) {
      const onClose = (): void => {
        if (hasLeft()) listener()
      }
      res.on('close', onClose)
      return () => void res.off('close', onClose)
    },
  }
}

/** Several clients that wait for one answer. */
export interface Callers extends Caller {
  add(caller: Caller): void
}

/** The clients that wait for one answer. They have left when the last one has, and do not come back. */
export function callersOf(first: Caller): Callers {
  const waiting = new Set<Caller>()
  const listeners = new Set<() => void>()
  let hasLeft = false
  const leave = (caller: Caller): void => {
    waiting.delete(caller)
    if (waiting.size > 0 || hasLeft) return
    hasLeft = true
    for (const listener of [...listeners]) listener()
  }
  const add = (caller: Caller): void => {
    if (hasLeft) return
    waiting.add(caller)
    caller.onLeft(() => leave(caller))
    if (caller.hasLeft) leave(caller)
  }
  add(first)
  return {
    get hasLeft() {
      return hasLeft
    },
    onLeft(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    add,
  }
}

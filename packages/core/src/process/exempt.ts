import { processState } from './process-state.js'

/**
 * Exempts an object from every fault that looks at it: a client, a socket, or the callback of a lookup. Tools use it for
 * the connections that control faults, which must outlive the outages that they cause. Nothing is put on the object.
 *
 * The seams of a class or of the whole process ask for it: those of ioredis, of sockets, of TLS and of DNS, and the tracker of workers. A target that is
 * given by itself is not asked for.
 *
 * @returns The same object.
 */
export function exempt<T extends object>(object: T): T {
  processState().exempt.add(object)
  return object
}

/** Whether an object is exempt from faults, by this or another copy of core. */
export function isExempt(object: object | undefined): boolean {
  return object !== undefined && processState().exempt.has(object)
}

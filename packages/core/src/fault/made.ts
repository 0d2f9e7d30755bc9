const MADE = Symbol.for('@chaos/core.madeFault')

/** Marks a fault, whose options have been checked. The mark does not go along when its members are copied. */
export function markMade<Fault extends object>(fault: Fault): Fault {
  return Object.defineProperty(fault, MADE, { value: true })
}

/** Whether a factory has made a fault, also one of another copy of core, so that its options are checked. */
export function isMade(fault: unknown): boolean {
  return typeof fault === 'object' && fault !== null && Object.hasOwn(fault, MADE)
}

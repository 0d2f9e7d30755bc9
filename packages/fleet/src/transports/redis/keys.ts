/** The keys of a fleet, all in one slot of a cluster. */
export interface Keys {
  /** What all keys begin with. */
  readonly prefix: string
  readonly permit: string
  readonly halt: string
  readonly epoch: string
  /** The ids of the instances, scored by the time of their last read. */
  readonly index: string
  /** The ids of the runs, scored by the time at which they were opened. A run that has ended may still be in it. */
  readonly running: string
  readonly audit: string
  /** The channel on which a message of any content says that a read may show something new. */
  readonly wake: string
  readonly instance: (id: string) => string
  readonly run: (id: string) => string
  readonly acks: (runId: string) => string
}

export function keysOf(fleet: string): Keys {
  const prefix = `{chaos:${fleet}}:`
  return {
    prefix,
    permit: `${prefix}permit`,
    halt: `${prefix}halt`,
    epoch: `${prefix}epoch`,
    index: `${prefix}index`,
    running: `${prefix}running`,
    audit: `${prefix}audit`,
    wake: `${prefix}wake`,
    instance: (id) => `${prefix}inst:${id}`,
    run: (id) => `${prefix}run:${id}`,
    acks: (runId) => `${prefix}acks:${runId}`,
  }
}

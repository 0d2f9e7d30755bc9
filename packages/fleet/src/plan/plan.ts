import type { PortableInjectOptions } from '@chaos/core'

/** How much of a fleet a run may affect. The controller and each agent check it. */
export interface Caps {
  /** The most instances of a run. */
  readonly maxInstances?: number
  /** The largest share of the instances of one service, 0 to 1. */
  readonly maxShare?: number
  /** The fewest instances of each service that a run must leave unaffected. */
  readonly minHealthy?: number
}

/** One fault on an exact list of instances. */
export interface Plan {
  readonly version: 1
  /** A random name, which no other run ever has. */
  readonly runId: string
  readonly fleet: string
  readonly environment: string
  /** The name of the target in each instance. */
  readonly target: string
  /** The full name of the fault. */
  readonly fault: string
  readonly options: Readonly<Record<string, unknown>>
  /**
   * The blast radius within each instance. The lease is that of the run. If `scope` is the name of the run, it affects only requests
   * whose header names the run.
   */
  readonly how: Omit<PortableInjectOptions, 'leaseMs' | 'id'>
  /** The ids of the instances, at most 10,000. Instances that join later are never drawn in. */
  readonly instances: readonly string[]
  /** The number of instances of each affected service when the plan was made, which the shares of the caps refer to. */
  readonly candidates: Readonly<Record<string, number>>
  /** How many of `instances` each affected service has. An agent cannot tell the service of another instance by its id. */
  readonly selected: Readonly<Record<string, number>>
  /** Labels that every instance of the plan has. Policies judge by them, and each agent compares them with its own. */
  readonly labels: Readonly<Record<string, string>>
  /** How many instances must be ready before any is affected. */
  readonly quorum: number
  /** The time after which an instance reverts if it has not read a newer beat of the controller, in ms: 1,000 to 60,000. */
  readonly leaseMs: number
  /** The longest time that the fault stays in force in an instance, in ms. No renewal extends it. */
  readonly maxDurationMs: number
  readonly caps: Caps
  /** The seed of the choice of instances. */
  readonly seed: string
  readonly by: string
  readonly reason: string
}

/** A plan as it travels. */
export interface SignedPlan {
  /** The canonical JSON text of the plan. The signature is that of these characters. */
  readonly text: string
  readonly keyId: string
  /** The Ed25519 signature of the text, in base64url. */
  readonly signature: string
}

/** What agents, engine and controller do in a state of the fleet. CPU is a share of one core. */
export interface Load {
  /** Of one agent. */
  readonly agentCpu: number
  /** Reads and answers of one agent, per second. */
  readonly callsPerS: number
  /** Of one agent per second, in both directions, with what its controller reads of it. */
  readonly bytesPerS: number
  readonly engineCpu: number
  /** CPU of the engine for one call, in µs. */
  readonly engineUsPerCall: number
  readonly controllerCpu: number
}

/** What a fleet of one size costs. Times in ms. */
export interface FleetPoint {
  readonly agents: number
  readonly processes: number
  /** The lease of its runs, those apart whose controller is killed. */
  readonly leaseMs: number
  readonly idle: Load
  /** In a run of all agents; `undefined` if none could be started. */
  readonly active: Load | undefined
  /** For one agent. */
  readonly agentKib: number
  readonly engineKib: number
  readonly connections: number
  /** What one agent moves from the call of the controller until the fault is in force. */
  readonly startBytes: number
  /** CPU of the engine for the same, for all agents. */
  readonly startEngineMs: number
  /** CPU of one agent for the same. */
  readonly startAgentMs: number
  /** Runs that ended with their lease before the fault was in force everywhere, since the machine was too busy. */
  readonly lostStarts: number
  /** A list of all instances. */
  readonly listMs: readonly number[]
  /** From the call of the controller until the fault is in force in the last instance. */
  readonly askedMs: readonly number[]
  /** The same, from the moment at which the run was published. */
  readonly appliedMs: readonly number[]
  readonly closedMs: readonly number[]
  readonly haltedMs: readonly number[]
  readonly killedMs: readonly number[]
}

/** The lease of a run unless it names another, in ms. */
export const DEFAULT_LEASE_MS = 5_000
/** The lease of the runs whose controller is killed, in ms. */
export const KILLED_LEASE_MS = 3_000

import { fleetConnector, type ConnectFleet } from './connect.js'
import { engines } from './engines.js'

/**
 * Connects to a fleet by the URL of its Redis, `redis://127.0.0.1:6379?fleet=shop&environment=staging`, or of the relay of this
 * host, `fleet+unix:///run/shop/relay.sock?fleet=shop&environment=staging`. {@link fleetConnector} says what else it reads.
 */
export const connect: ConnectFleet = fleetConnector(engines)

export type { OpenTransport } from './address.js'
export { fleetConnector, type ConnectFleet, type ConnectFleetOptions } from './connect.js'
export {
  fleetController,
  type FleetController,
  type FleetControllerOptions,
  type FleetInjectOptions,
} from './fleet-controller.js'
export {
  fleetJournal,
  journalFile,
  verifyJournal,
  type FleetJournal,
  type FleetJournalEntry,
  type JournalVerdict,
} from './journal.js'
export type { InstanceOutcome } from './outcomes.js'
export { planRun, type PlannedRun, type RunRequest, type RunSettings } from './plan-run.js'
export type { RunEnd, RunState } from './run-state.js'
export { parseTarget, type FleetTarget } from './select.js'
export type { Selection } from '../plan/blast-radius.js'
export { makeKey, readKeyFile, readPublicKeyFile, writeKeyFiles, type SigningKey } from '../plan/key-files.js'
export { signPlan, verifyPlan, type PinnedKeys } from '../plan/signature.js'
export type { Caps, Plan, SignedPlan } from '../plan/plan.js'
export type { InstanceRecord, InstanceState } from '../plan/instance.js'
export { checkPolicy, type PolicyQuestion } from '../policy/check-policy.js'
export { parsePolicy, policyJsonSchema, type Policy, type PolicyRule } from '../policy/policy.js'
export type { Window } from '../policy/windows.js'
export { aclFile, type Role } from '../transports/redis/acl.js'
export { relayControllerTransport, type RelayControllerOptions } from '../transports/relay/controller.js'
export { redisControllerTransport } from '../transports/redis/controller.js'
export type { AuditEntry, ControllerTransport, Halt, HaltResult, RunView } from '../transports/transport.js'

import { ChaosError } from '@chaos/core'
import { globMatcher, type HeldOn, type InjectionContext, isGlob, unknownName } from '@chaos/core/authoring'
import type { Socket } from 'node:net'
import type { PoolBinding } from './pools.js'

/** The key of a client's binding. All copies of this package in a process share it. */
const BINDING: unique symbol = Symbol.for('@chaos/adapter.commands')

/**
 * A bound client of a driver, made by `@chaos/adapter/ioredis`, `/node-redis`, `/pg`, `/mysql2`, `/mongodb` or
 * `/level`. It is a target of every call fault. Its operations are commands (`GET`, `INSERT`), not methods.
 */
export interface CommandTarget {
  readonly [BINDING]: CommandBinding
}

/** The interface to the commands of one driver, beneath every method that an application calls. */
export interface CommandBinding {
  /** The known command names. A fault refuses other names unless `isName` accepts them. */
  readonly names: readonly string[]
  readonly isName?: (name: string) => boolean
  /** Commands that are affected only if `methods` names them. */
  readonly onRequest?: readonly string[]
  /** Patches the driver for one injection. */
  readonly patch: (context: InjectionContext, seam: CommandSeam) => void
  /** The pool interface, if the client is a pool. */
  readonly pool?: PoolBinding | undefined
}

/** The decisions and answers of a fault, for a binding. */
export interface CommandSeam {
  /** Decides whether the fault affects a command, and counts the command. Call it once for each. */
  readonly chooses: (name: string, args: readonly unknown[]) => boolean
  /** Makes the answer for the caller of a chosen command. */
  readonly answer: (command: Command) => Promise<unknown>
  /**
   * Records a chosen command, which the binding then lets pass. For a driver whose faults take the turn of a command: an
   * observer must not take it. Absent: the binding asks for an answer.
   */
  readonly watch?: (command: Pick<Command, 'name' | 'args'>) => CommandOutcome
}

/** Records how a command ends. */
export interface CommandOutcome {
  readonly done: (result: unknown) => void
  readonly failed: (error: unknown) => void
}

/** A command on its way from the application to the server. */
export interface Command {
  readonly name: string
  readonly args: readonly unknown[]
  /** The client that sends the command. */
  readonly client: object
  /** The address of the client's server, if known. */
  readonly endpoint?: Endpoint | undefined
  /**
   * The resource, such as a connection, that a held command depends on. Once the resource is gone, `proceed` must
   * reject as the driver does, and a command without a waiting caller is not sent.
   */
  readonly on?: HeldOn | undefined
  /** The caller's signal, if the driver accepts one. */
  readonly signal?: AbortSignal | undefined
  /** Changes the data inside an answer of the driver's own class, in a copy. Default: the answer is the data. */
  readonly within?: WithinResult | undefined
  /** Sends the command. Every call sends it again. */
  readonly proceed: () => Promise<unknown>
}

/** Changes the data inside a result of a driver's own class. */
export type WithinResult = (result: unknown, change: (data: unknown) => unknown) => unknown

/** The address in a connection error. */
export interface Endpoint {
  readonly host?: string | undefined
  readonly port?: number | undefined
}

/**
 * Returns the remote address of a socket if it is connected, else the configured address. Connection errors of the
 * kernel name the same.
 */
export function endpointOf(socket: unknown, configured: Endpoint): Endpoint {
  if (typeof socket !== 'object' || socket === null) return configured
  const { remoteAddress, remotePort } = socket as Partial<Pick<Socket, 'remoteAddress' | 'remotePort'>>
  return remoteAddress === undefined ? configured : { host: remoteAddress, port: remotePort }
}

/**
 * Makes a bound client.
 *
 * @param name The name of the target in the ids of injections.
 */
export function commandTarget(name: string, binding: CommandBinding): CommandTarget {
  const constructor = Object.defineProperty(() => undefined, 'name', { value: name })
  return Object.defineProperty({ [BINDING]: binding }, 'constructor', { value: constructor })
}

/** Returns whether a value is a bound client. */
export function isCommandTarget(value: object): value is CommandTarget {
  return BINDING in value
}

/** Returns the binding of a bound client. */
export function bindingOf(target: CommandTarget): CommandBinding {
  return target[BINDING]
}

/**
 * Returns a function that decides whether a fault affects the commands of a name.
 *
 * @param wanted Names or globs. Default: all commands except those in `onRequest`.
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if a name or glob matches no command.
 */
export function commandMatcher(
  { names, isName = () => false, onRequest = [] }: CommandBinding,
  wanted: string | readonly string[] | undefined,
): (name: string) => boolean {
  if (wanted === undefined) return (name) => !onRequest.includes(name)
  for (const pattern of [wanted].flat()) {
    const found = isGlob(pattern) ? names.some(globMatcher([pattern])) : names.includes(pattern) || isName(pattern)
    if (found) continue
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `Option \`methods\`: ${unknownName('command of the client', pattern, names)}`,
    )
  }
  return globMatcher([wanted].flat())
}

/** Makes the error for a value that a binding cannot bind. */
export function mismatch(expected: string, value: unknown): ChaosError {
  const got =
    value === null
      ? 'null'
      : typeof value === 'object'
        ? `an object of class ${(value.constructor as { name?: string } | undefined)?.name ?? 'null'}`
        : typeof value === 'function'
          ? `the function \`${value.name}\``
          : typeof value
  return new ChaosError('CHAOS_TARGET_MISMATCH', `Expected ${expected}, got ${got}.`)
}

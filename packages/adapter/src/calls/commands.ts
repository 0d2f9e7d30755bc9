import { ChaosError } from '@chaos/core'
import { globMatcher, type HeldOn, type InjectionContext, isGlob, unknownName } from '@chaos/core/authoring'
import type { Socket } from 'node:net'
import type { PoolBinding } from './pools.js'

/** Where a bound client keeps how its commands are reached. Shared by the copies of this package in a process. */
const BINDING: unique symbol = Symbol.for('@chaos/adapter.commands')

/**
 * A client of a driver, bound: a target of every fault of calls, whose operations are commands (`GET`, `INSERT`) and not methods. Made by
 * `@chaos/adapter/ioredis`, `/node-redis`, `/pg`, `/mysql2`, `/mongodb` and `/level`.
 */
export interface CommandTarget {
  readonly [BINDING]: CommandBinding
}

/** How the commands of one driver are reached, beneath every method that an application calls. */
export interface CommandBinding {
  /** Names of commands. A name that is none of them is refused, unless `isName` says that there may be such a command. */
  readonly names: readonly string[]
  readonly isName?: (name: string) => boolean
  /** Names that are affected only where `methods` asks for them. */
  readonly onRequest?: readonly string[]
  /** Lays a fault over the driver. */
  readonly lay: (context: InjectionContext, seam: CommandSeam) => void
  /** The client as a pool, where it is one. */
  readonly pool?: PoolBinding | undefined
}

/** What a binding asks of a fault. */
export interface CommandSeam {
  /** Whether the fault affects a command, which counts it: ask once for each. */
  readonly chooses: (name: string, args: readonly unknown[]) => boolean
  /** What the caller of a chosen command gets. */
  readonly answer: (command: Command) => Promise<unknown>
}

/** A command on its way from the application to its server. */
export interface Command {
  readonly name: string
  readonly args: readonly unknown[]
  /** The client that it was given to. */
  readonly client: object
  /** Where that client's server is. */
  readonly endpoint?: Endpoint | undefined
  /** What it is held on while a fault keeps it back. Where that is gone, `proceed` must reject as the driver does, and what nobody awaits is not sent. */
  readonly on?: HeldOn | undefined
  /** The caller's own signal, where the driver takes one. */
  readonly signal?: AbortSignal | undefined
  /** Reaches the data in what it answers, where that is an object of the driver's own: a copy with the data changed. Default: the answer is the data. */
  readonly within?: WithinResult | undefined
  /** Sends it. It is sent again each time this is called. */
  readonly proceed: () => Promise<unknown>
}

/** Changes the data in a result of a driver's own class. */
export type WithinResult = (result: unknown, change: (data: unknown) => unknown) => unknown

/** An address that errors of connections name. */
export interface Endpoint {
  readonly host?: string | undefined
  readonly port?: number | undefined
}

/** Where a socket leads to, which is what an error of the kernel names; where it is not connected, what the client was told. */
export function endpointOf(socket: unknown, told: Endpoint): Endpoint {
  if (typeof socket !== 'object' || socket === null) return told
  const { remoteAddress, remotePort } = socket as Partial<Pick<Socket, 'remoteAddress' | 'remotePort'>>
  return remoteAddress === undefined ? told : { host: remoteAddress, port: remotePort }
}

/** Binds. @param name Names the target in the ids of injections. */
export function commandTarget(name: string, binding: CommandBinding): CommandTarget {
  const constructor = Object.defineProperty(() => undefined, 'name', { value: name })
  return Object.defineProperty({ [BINDING]: binding }, 'constructor', { value: constructor })
}

/** Whether a value is a bound client. */
export function isCommandTarget(value: object): value is CommandTarget {
  return BINDING in value
}

/** How the commands of a bound client are reached. */
export function bindingOf(target: CommandTarget): CommandBinding {
  return target[BINDING]
}

/**
 * Whether a fault wants commands of a name.
 *
 * @param wanted Names or globs. Default: all but those that must be asked for.
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when a name or glob matches no command
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

/** Refuses what no binding of a driver can bind. */
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

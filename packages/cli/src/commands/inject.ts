import { ChaosError, type InjectionState, type PortableInjectOptions } from '@chaos/core'
import type { ControlClient } from '@chaos/control'
import { parseDuration } from '../arguments/duration.js'
import { EXIT } from '../process/exit-codes.js'
import { findFault } from '../arguments/find-fault.js'
import { flagName, flagsOf, readFlags } from '../arguments/flags.js'
import { injectionLine } from '../view/lines.js'
import type { Terminal } from '../view/terminal.js'
import { announceBreakOff, brokenOff, orBrokenOff, processGone, withClient, type CommonFlags } from './command.js'

/** Flags of `chaos inject` itself; what it does not know are options of the fault. */
export interface InjectFlags extends CommonFlags {
  readonly for?: string
  readonly rate?: string
  readonly limit?: string
  readonly limitPerOperation?: string
  readonly skip?: string
  readonly every?: string
  readonly only?: readonly string[]
  readonly seed?: string
  readonly id?: string
  readonly hold?: string
  readonly help?: boolean
  readonly dryRun?: boolean
}

/**
 * Puts a fault in force. With `--hold connection` it stays until the fault ends or the user breaks off, which ends the fault.
 *
 * @param taken The flags of `chaos inject` itself.
 * @returns The exit code.
 */
export function inject(
  target: string,
  fault: string,
  rest: readonly string[],
  flags: InjectFlags,
  taken: ReadonlySet<string>,
  io: Terminal,
): Promise<number> {
  return withClient(flags, io, async (client) => {
    const info = await orBrokenOff(io.signal, findFault(client, target, fault))
    if (flags.help === true) {
      for (const line of [`chaos inject ${target} ${info.name}`, '', info.summary, '']) io.out(line)
      for (const { flag, value, description, isRequired } of flagsOf(info, taken))
        io.out(`  ${`${flag} ${value}`.padEnd(28)} ${description}${isRequired ? ' Required.' : ''}`)
      return EXIT.ok
    }
    const options = readFlags(info, rest, taken)
    const hold = holdOf(flags.hold)
    if (flags.dryRun === true) {
      await orBrokenOff(io.signal, client.check(target, info.name, options, { ...how(flags), hold }))
      if (flags.json === true) io.json({ target, fault: info.name, options })
      else io.out(`Nothing was broken. ${info.name} can be injected into ${target}.`)
      return EXIT.ok
    }
    // A fault may be long in coming. Whoever breaks off meanwhile leaves, and the process takes back what it has of it.
    const arming = client.inject(target, info.name, options, { ...how(flags), hold })
    const state = await Promise.race([arming, brokenOff(io.signal)])
    if (state === undefined) {
      arming.catch(() => undefined)
      io.err(`broken off (${String(io.signal.reason)}): taking back what is in force`)
      return EXIT.interrupted
    }
    report(state, flags, io)
    if (hold === 'lease') return EXIT.ok
    if (state.status === 'ended') return codeOf(state)
    const silence = announceBreakOff(io)
    const ended = await untilEnded(client, state, io)
    silence()
    if (ended !== undefined) report(ended, flags, io)
    if (io.signal.aborted) {
      if (ended === undefined) await client.stop(state.id)
      return EXIT.interrupted
    }
    if (ended === undefined) throw processGone('If it still runs, it has taken the fault back.')
    return codeOf(ended)
  })
}

/** @throws ChaosError `CHAOS_ROLLBACK_FAILED` for one that has ended, and of which something is left behind */
function codeOf({ id, status, failures }: InjectionState): number {
  if (status !== 'ended' || failures.length === 0) return EXIT.ok
  throw new ChaosError('CHAOS_ROLLBACK_FAILED', `Not everything of ${id} could be taken back: ${failures.join('; ')}`)
}

function report(state: InjectionState, flags: InjectFlags, { out, json }: Terminal): void {
  if (flags.json === true) {
    json(state)
    return
  }
  out(injectionLine(state, Date.now()))
  for (const evidence of state.evidence) out(`  ${JSON.stringify(evidence)}`)
}

function how(flags: InjectFlags): PortableInjectOptions {
  const numbers = Object.fromEntries(
    (['rate', 'limit', 'limitPerOperation', 'skip', 'every'] as const).flatMap((name) => {
      const text = flags[name]
      if (text === undefined) return []
      const value = Number(text)
      if (text.trim() === '' || Number.isNaN(value))
        throw new ChaosError('CHAOS_INVALID_OPTION', `Expected a number behind \`${flagName(name)}\`, got \`${text}\`.`)
      return [[name, value]]
    }),
  )
  return {
    ...numbers,
    ...(flags.for === undefined ? {} : { leaseMs: leaseOf(flags.for) }),
    ...(flags.only === undefined ? {} : { only: flags.only.flatMap((names) => names.split(',')) }),
    ...(flags.seed === undefined ? {} : { seed: flags.seed }),
    ...(flags.id === undefined ? {} : { id: flags.id }),
  }
}

function leaseOf(text: string): number {
  const leaseMs = parseDuration(text)
  if (leaseMs === 0)
    throw new ChaosError('CHAOS_INVALID_OPTION', `Expected \`--for\` to be longer than 0, got \`${text}\`.`)
  return leaseMs
}

function holdOf(hold = 'lease'): 'lease' | 'connection' {
  if (hold === 'lease' || hold === 'connection') return hold
  throw new ChaosError('CHAOS_INVALID_OPTION', `Expected \`--hold\` to be lease or connection, got \`${hold}\`.`)
}

/** Waits until a fault has ended, or the user breaks off. */
function untilEnded(
  client: ControlClient,
  { id, armedAt }: InjectionState,
  { signal }: Terminal,
): Promise<InjectionState | undefined> {
  return new Promise((resolve) => {
    const unfollow = client.follow((entry) => {
      if (entry.type === 'ended' && entry.injection.id === id) finish(entry.injection)
    })
    const finish = (state: InjectionState | undefined): void => {
      unfollow()
      resolve(state)
    }
    void Promise.race([client.closed, brokenOff(signal)]).then(() => finish(undefined))
    // It may have ended before anybody followed.
    client.injections().then(
      (states) => {
        // An earlier one may have had the same id.
        const state = states.find((one) => one.id === id && one.armedAt === armedAt)
        if (state?.status === 'ended') finish(state)
      },
      // Then the connection is gone, and that is waited for already.
      () => undefined,
    )
  })
}

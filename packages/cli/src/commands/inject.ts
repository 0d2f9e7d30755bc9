import type { Command } from 'commander'
import type { ControlClient } from '@chaos/control'
import { ChaosError, type InjectionState, type PortableInjectOptions } from '@chaos/core'
import { printable } from '@chaos/core/authoring'
import type { CommonFlags, InjectFlags } from '../arguments/command-options.js'
import { addFaultOptions } from '../arguments/fault-options.js'
import { findFault } from '../arguments/find-fault.js'
import { EXIT } from '../process/exit-codes.js'
import { injectionLine, replayLine } from '../view/lines.js'
import type { Terminal } from '../view/terminal.js'
import { announceInterruption, interrupted, orInterrupted, processGone, withClient } from './command.js'

/** A call of `chaos inject`. */
export interface InjectCall {
  readonly target: string
  readonly fault: string
  /** The raw arguments after `inject`, including the options of the fault. */
  readonly args: readonly string[]
  /** The options that select the process. */
  readonly flags: CommonFlags
  /** Creates a fresh command, to which the options of the fault are added. */
  readonly command: () => Command
}

/**
 * Injects a fault. With `--hold connection`, the command runs until the fault ends, or until the user interrupts, which
 * ends the fault.
 *
 * The options of the fault are known only after the process was asked, so the arguments are then parsed again.
 *
 * @returns The exit code.
 */
export function inject({ target, fault, args, flags: common, command }: InjectCall, io: Terminal): Promise<number> {
  return withClient(common, io, async (client) => {
    const info = await orInterrupted(io.signal, findFault(client, target, fault))
    const parsed = command()
      .name('chaos inject')
      .usage(`${target} ${printable(info.name)} [options]`)
    const readOptions = addFaultOptions(parsed, info)
    // Printed before help, because commander would wrap a description. `printable` keeps it on one line.
    parsed.addHelpText('before', `Fault ${printable(info.name)}: ${printable(info.summary)}\n`)
    parsed.helpOption('--help').parse(args, { from: 'user' })
    const flags = parsed.opts<InjectFlags>()
    const options = readOptions()
    const hold = flags.hold ?? 'lease'
    if (flags.dryRun === true) {
      await orInterrupted(io.signal, client.check(target, info.name, options, { ...how(flags), hold }))
      if (flags.json === true) io.json({ target, fault: info.name, options })
      else io.out(`Nothing was broken. ${info.name} can be injected into ${target}.`)
      return EXIT.ok
    }
    // Arming may take long. If the user interrupts it, the command disconnects and the process rolls back.
    const arming = client.inject(target, info.name, options, { ...how(flags), hold })
    const state = await Promise.race([arming, interrupted(io.signal)])
    if (state === undefined) {
      arming.catch(() => undefined)
      io.err(`interrupted (${String(io.signal.reason)}): rolling back what is in force`)
      return EXIT.interrupted
    }
    report(state, flags, io)
    if (hold === 'lease') return EXIT.ok
    if (state.status === 'ended') return codeOf(state)
    const silence = announceInterruption(io)
    const ended = await untilEnded(client, state, io)
    silence()
    if (ended !== undefined) report(ended, flags, io)
    if (io.signal.aborted) {
      if (ended === undefined) await client.stop(state.id)
      return EXIT.interrupted
    }
    if (ended === undefined) throw processGone('A process that still runs has rolled the fault back.')
    return codeOf(ended)
  })
}

/** The exit code for a state. @throws ChaosError `CHAOS_ROLLBACK_FAILED` when the rollback failed */
function codeOf({ id, status, failures }: InjectionState): number {
  if (status !== 'ended' || failures.length === 0) return EXIT.ok
  throw new ChaosError('CHAOS_ROLLBACK_FAILED', `The rollback of ${id} failed in part: ${failures.join('; ')}`)
}

function report(state: InjectionState, flags: InjectFlags, { out, json }: Terminal): void {
  if (flags.json === true) {
    json(state)
    return
  }
  out(injectionLine(state, Date.now()))
  for (const evidence of state.evidence) out(`  ${JSON.stringify(evidence)}`)
  if (state.status !== 'ended' || state.kind === 'instant') out(`  ${replayLine(state)}`)
}

/** The inject options that the flags describe. */
function how({
  for: leaseMs,
  rate,
  limit,
  limitPerOperation,
  skip,
  every,
  only,
  seed,
  id,
}: InjectFlags): PortableInjectOptions {
  const given = { leaseMs, rate, limit, limitPerOperation, skip, every, only, seed, id }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** Waits until a fault has ended, or the user interrupts. */
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
    void Promise.race([client.closed, interrupted(signal)]).then(() => finish(undefined))
    // The fault may have ended before the command followed events.
    client.injections().then(
      (states) => {
        // An earlier injection may have had the same id.
        const state = states.find((one) => one.id === id && one.armedAt === armedAt)
        if (state?.status === 'ended') finish(state)
      },
      // `client.closed` handles a lost connection.
      () => undefined,
    )
  })
}

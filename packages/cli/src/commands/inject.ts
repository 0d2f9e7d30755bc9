import type { Command } from 'commander'
import { ChaosError, type InjectionState, type PortableInjectOptions } from '@chaos/core'
import { printable } from '@chaos/core/authoring'
import type { CommonFlags, InjectFlags } from '../arguments/command-options.js'
import { addFaultOptions } from '../arguments/fault-options.js'
import { findFault } from '../arguments/find-fault.js'
import { scopeOf } from '../arguments/scope-options.js'
import { ANY_OPTION, takesAnyOption } from '../arguments/undeclared-options.js'
import { EXIT } from '../process/exit-codes.js'
import { injectionLine, replayLine } from '../view/lines.js'
import { red, type Terminal } from '../view/terminal.js'
import {
  announceInterruption,
  connectionGone,
  interrupted,
  orInterrupted,
  processGone,
  withController,
} from './command.js'
import { untilEnded } from './until-ended.js'

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
 * Injects a fault. With `--hold connection`, which `--on` implies, the command runs until the fault ends, or until the user
 * interrupts, which ends the fault.
 *
 * The options of the fault are known only after the process was asked, if at all, so the arguments are then parsed again.
 *
 * @returns The exit code.
 */
export function inject({ target, fault, args, flags: common, command }: InjectCall, io: Terminal): Promise<number> {
  return withController(common, io, async (controller) => {
    const info = await orInterrupted(io.signal, findFault(controller, target, fault))
    const parsed = command()
      .name('chaos inject')
      .usage(`${target} ${printable(info.name)} [options]`)
    const readOptions = addFaultOptions(parsed, info, args)
    // Printed before help, because commander would wrap a description. `printable` keeps it on one line.
    parsed.addHelpText('before', `Fault ${printable(info.name)}: ${printable(info.summary)}\n`)
    const isOpen = takesAnyOption(info)
    if (isOpen) parsed.addHelpText('before', `${ANY_OPTION}\n`)
    parsed.helpOption('--help').parse(args, { from: 'user' })
    const flags = parsed.opts<InjectFlags>()
    const options = readOptions()
    if (common.on !== undefined && flags.hold === 'lease')
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        'A fault that is injected through `--on` ends with this command. Leave out `--hold lease`, and keep the command running.',
      )
    const hold = flags.hold ?? (common.on === undefined ? 'lease' : 'connection')
    if (flags.dryRun === true) {
      await orInterrupted(io.signal, controller.check(target, info.name, options, { ...how(flags), hold }))
      if (flags.json === true) io.json({ target, fault: info.name, options })
      else
        io.out(
          `Nothing was broken. ${info.name} can be injected into ${target}.${isOpen ? ' Its options are checked when it is injected.' : ''}`,
        )
      return EXIT.ok
    }
    // Arming may take long. If the user interrupts it, the command disconnects and the process rolls back.
    const arming = controller.inject(target, info.name, options, { ...how(flags), hold })
    const state = await Promise.race([arming, interrupted(io.signal)])
    if (state === undefined) {
      arming.catch(() => undefined)
      io.err(`interrupted (${String(io.signal.reason)}): rolling back what is in force`)
      return EXIT.interrupted
    }
    report(state, flags, io)
    if (hold === 'lease') return EXIT.ok
    if (state.status === 'ended') return codeOf(state, io)
    const silence = announceInterruption(io)
    const ended = await untilEnded(controller, state, io)
    silence()
    if (ended !== undefined) report(ended, flags, io)
    if (io.signal.aborted) {
      if (ended === undefined) await controller.stop(state.id)
      return EXIT.interrupted
    }
    if (ended === undefined)
      throw common.on === undefined
        ? processGone('A process that still runs has rolled the fault back.')
        : connectionGone()
    return codeOf(ended, io)
  })
}

/** The exit code for a state. @throws ChaosError `CHAOS_ROLLBACK_FAILED` when the rollback failed */
function codeOf({ id, status, outcome, failures }: InjectionState, { err }: Terminal): number {
  if (status !== 'ended' || failures.length === 0) return EXIT.ok
  if (outcome === 'aborted') {
    err(red('error'), `: ${id} was cut short: ${failures.join('; ')}`)
    return EXIT.internal
  }
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
  ...scopeFlags
}: InjectFlags): PortableInjectOptions {
  const { scope, route, user, tenant, sessions, sessionsSeed } = scopeFlags
  const chosen = scopeOf({ scope, route, user, tenant, sessions, sessionsSeed })
  const given = { leaseMs, rate, limit, limitPerOperation, skip, every, only, scope: chosen, seed, id }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

import { isChaosError } from '@chaos/core'
import { DEFAULT_LEASE_MS, systemClock } from '@chaos/core/authoring'
import type { Experiment } from '@chaos/experiment'
import { environmentOf } from '../../controller/connect.js'
import { fleetController, settingsOfController, type FleetController } from '../../controller/fleet-controller.js'
import { defined } from '../../plan/defined.js'
import { previewRun, type PreviewScene } from '../../controller/preview.js'
import { keyOfVariables, policyOfVariables, variable, whoRunsIt } from '../../controller/variables.js'
import type { Arguments } from '../arguments/arguments.js'
import { alertsIn, experimentIn, experimentPackage } from '../arguments/experiment.js'
import { fleetOf, withTransport } from '../arguments/fleet.js'
import { askedIn, runOptions, settingsIn, type Asked } from '../arguments/run-options.js'
import { EXIT } from '../process/exit-codes.js'
import type { Verb } from '../verb.js'
import { previewJson, previewLines, type PreviewedStep } from '../views/preview.js'
import { plansOf } from '../views/plans-of-runs.js'

/** Shows what a run would do, before anything is touched. */
export const plan: Verb = {
  summary: 'shows the exact instances, limits and refusals of a run, and touches nothing',
  usage: '<experiment> | <target> <fault>',
  notes: [
    'A target is `db`, or `db[service=orders,zone=eu-1,share=0.33,cap=5,seed=a]`. Writes nothing anywhere.',
    'What each instance checks for itself (its guard, its policy, the options of the fault) is known only when a run asks it.',
    'Exit code 0: nothing refuses it; 4: something does.',
  ],
  options: runOptions,
  maxPositionals: 2,
  async run(args, io) {
    const asked = askedIn(args)
    const address = fleetOf(args)
    const environment = environmentOf(address)
    const [key, policy] = [keyOfVariables(), policyOfVariables()]
    const experiment = asked.kind === 'experiment' ? await experimentIn(asked.path, args) : undefined
    const { readyWithinMs: _, ...settings } = settingsOfController({
      fleet: address.fleet,
      environment,
      by: whoRunsIt(),
      reason: variable('CHAOS_FLEET_REASON'),
      ...settingsIn(args),
    })
    return withTransport(address, async (transport) => {
      const [records, runs, window] = await Promise.all([transport.list(), transport.runs(), transport.status()])
      const scene: PreviewScene = {
        records,
        // Halted ones too: they hold their instances until their leases have ended.
        running: plansOf(runs).flatMap((run) => run.plan ?? []),
        settings,
        key,
        policy,
        nowMs: systemClock.now(),
      }
      const steps = asked.kind === 'fault' ? [stepOf(asked, scene)] : stepsOf(experiment as Experiment, scene)
      const isRefused = (): boolean => !window.isPermitted || steps.some(({ refusals }) => refusals.length > 0)
      // The experiment repeats what was found above, so it is asked only when that is nothing.
      const general =
        experiment === undefined || isRefused()
          ? []
          : await experimentProblems(experiment, args, fleetController({ ...settings, transport, key, policy }))
      const preview = {
        fleet: address.fleet,
        environment,
        title: experiment?.title,
        window,
        keyId: key.keyId,
        steps,
        refusals: general,
      }
      if (args.isOn('json')) io.json(previewJson(preview))
      else for (const line of previewLines(preview)) io.out(line)
      return isRefused() || general.length > 0 ? EXIT.refused : EXIT.ok
    })
  },
}

function stepOf(
  { target, fault, options, how }: Extract<Asked, { readonly kind: 'fault' }>,
  scene: PreviewScene,
): PreviewedStep {
  return { target, fault, ...previewRun({ target, fault, options, how }, scene) }
}

/** The faults of a method, and the pauses between them. */
function stepsOf({ method }: Experiment, scene: PreviewScene): readonly PreviewedStep[] {
  let fromMs = 0
  const inForce: { readonly step: number; readonly services: readonly string[]; readonly untilMs: number }[] = []
  return method.map((step, index): PreviewedStep => {
    if (!('inject' in step)) {
      fromMs += step.waitMs
      return { waitMs: step.waitMs, refusals: [] }
    }
    const { target, fault, options, forMs, ...how } = step.inject
    const { planned, refusals } = previewRun({ target, fault, options: options ?? {}, how: defined(how) }, scene)
    const services = Object.keys(planned?.plan.candidates ?? {})
    const earlier = inForce.find((one) => one.untilMs > fromMs && one.services.some((name) => services.includes(name)))
    if (planned?.kind === 'standing')
      inForce.push({
        step: index + 1,
        services,
        untilMs: fromMs + Math.min(forMs ?? Infinity, how.leaseMs ?? DEFAULT_LEASE_MS),
      })
    return {
      target,
      fault,
      planned,
      refusals:
        earlier === undefined
          ? refusals
          : [
              ...refusals,
              `Step ${earlier.step} is still in force in the same service, which has one run at a time. Wait until it has ended.`,
            ],
    }
  })
}

/** What the experiment itself refuses: alerts that cannot fire, budgets that are too short. */
async function experimentProblems(
  experiment: Experiment,
  args: Arguments,
  controller: FleetController,
): Promise<readonly string[]> {
  const { checkExperiment } = await experimentPackage()
  try {
    await checkExperiment(experiment, { controller, alerts: await alertsIn(args) })
    return []
  } catch (error) {
    if (isChaosError(error)) return [error.message]
    throw error
  }
}

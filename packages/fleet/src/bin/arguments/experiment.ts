import { ChaosError } from '@chaos/core'
import { messageOf } from '@chaos/core/authoring'
import type * as Experiments from '@chaos/experiment'
import type { AlertReader, Experiment } from '@chaos/experiment'
import { usage, type Arguments } from './arguments.js'
import { assignments } from './run-options.js'

/** The package that reads and runs experiments. It is a peer: who breaks one target at a time need not have it. */
export type ExperimentPackage = typeof Experiments

/** @throws ChaosError `CHAOS_INVALID_OPTION` if the package is not installed */
export async function experimentPackage(): Promise<ExperimentPackage> {
  try {
    return await import('@chaos/experiment')
  } catch (error) {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Experiments need the package @chaos/experiment, which could not be loaded: ${messageOf(error)}. Install it beside @chaos/fleet: \`npm install @chaos/experiment\`. One fault needs no package: name a target and a fault.`,
      { cause: error },
    )
  }
}

/** Loads an experiment, with the variables of the command line. */
export async function experimentIn(path: string, args: Arguments): Promise<Experiment> {
  const { loadExperiment } = await experimentPackage()
  const alertsUrl = addressIn(args)
  return loadExperiment(path, {
    variables: {
      ...(alertsUrl === undefined ? {} : { ALERTS_URL: alertsUrl }),
      ...assignments(args.texts('var'), 'var', (text) => text),
    },
  })
}

/** The readers of alerts that `--alerts-url` asks for. */
export async function alertsIn(args: Arguments): Promise<readonly AlertReader[]> {
  const url = addressIn(args)
  return url === undefined ? [] : [(await experimentPackage()).prometheusAlerts({ url })]
}

function addressIn(args: Arguments): string | undefined {
  const text = args.text('alerts-url')
  if (text === undefined) return undefined
  try {
    const { protocol, search, hash, username } = new URL(text)
    if ((protocol === 'http:' || protocol === 'https:') && search === '' && hash === '' && username === '') return text
  } catch {
    // Reported below. The text may hold a password, so the message does not.
  }
  throw usage('Expected `--alerts-url` to be an address such as http://127.0.0.1:9090.')
}

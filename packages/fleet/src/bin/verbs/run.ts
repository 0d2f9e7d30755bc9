import { connectTo } from '../../controller/connect.js'
import type { FleetController } from '../../controller/fleet-controller.js'
import { usage, type Arguments } from '../arguments/arguments.js'
import { fleetOf, withTransport } from '../arguments/fleet.js'
import { askedIn, runOptions, settingsIn } from '../arguments/run-options.js'
import type { Terminal } from '../process/terminal.js'
import { runExperimentFile } from '../run/experiment.js'
import { runFault } from '../run/fault.js'
import type { Verb } from '../verb.js'

/** Runs an experiment, or one fault, over a fleet. */
export const run: Verb = {
  summary: 'runs an experiment, or one fault, and waits until every instance is whole again',
  usage: '<experiment> | <target> <fault>',
  notes: [
    'Needs the credential of a controller, and the key in CHAOS_FLEET_KEY. See first what it would do: `chaos fleet plan`.',
    'Ctrl-C and SIGTERM end the run. The command then waits until every instance is whole, at most the lease.',
    'Exit code of an experiment: that of its verdict, 0 and 10 to 16. Of one fault: 0 when it ended as planned, 16 when it was cut',
    'short (halted, lost, a rollout). 4: refused, and nobody was affected. 130: interrupted.',
  ],
  options: {
    ...runOptions,
    report: { value: '<folder>', help: 'an experiment: write journal.json, junit.xml and report.html there' },
  },
  maxPositionals: 2,
  async run(args, io) {
    const asked = askedIn(args)
    if (asked.kind === 'fault') {
      if (args.text('report') !== undefined) throw usage('`--report` is for experiments, and this is one fault.')
      return withController(args, io, (controller) => runFault(asked, controller, args, io))
    }
    return runExperimentFile(asked.path, args, io, (work) => withController(args, io, work))
  },
}

/** Does something with a controller of the fleet, and waits until every instance is whole. */
async function withController<T>(
  args: Arguments,
  io: Terminal,
  work: (controller: FleetController) => Promise<T>,
): Promise<T> {
  const address = fleetOf(args)
  // Loading the client may take long on a busy machine. The calls of a run, which keep a lease, have no time for that.
  await withTransport(address, (transport) => transport.status())
  const controller = await connectTo(address, settingsIn(args))
  const announce = (): void =>
    io.err(`interrupted (${String(io.signal.reason)}): ending the run, and waiting until every instance is whole`)
  if (io.signal.aborted) announce()
  else io.signal.addEventListener('abort', announce, { once: true })
  try {
    return await work(controller)
  } finally {
    io.signal.removeEventListener('abort', announce)
    await controller.close()
  }
}

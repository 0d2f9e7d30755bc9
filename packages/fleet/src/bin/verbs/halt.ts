import { systemClock } from '@chaos/core/authoring'
import { whoRunsIt } from '../../controller/variables.js'
import { fleetOptions, reasonOption } from '../arguments/common-options.js'
import { fleetOf, withTransport } from '../arguments/fleet.js'
import { EXIT } from '../process/exit-codes.js'
import type { Verb } from '../verb.js'
import { timeOf } from '../views/span.js'

/** The reason of a halt without one. Who is in a hurry must not be asked for it. */
const NO_REASON = 'no reason given'

/** Ends every run of a fleet. */
export const halt: Verb = {
  summary: 'ends every run of the fleet at once, and forbids new ones',
  notes: [
    'Needs the credential of a halter, and nothing else: no key, no environment, no controller that lives.',
    'Exit code 0: the halt is kept. An operator lifts it with `chaos fleet open --for 1h --reason "…"`.',
  ],
  options: { ...fleetOptions, ...reasonOption },
  async run(args, io) {
    const by = whoRunsIt()
    const given = args.text('reason') ?? ''
    const reason = given.trim() === '' ? NO_REASON : given
    const address = fleetOf(args)
    const { earlier, replicas, connectedReplicas, epoch } = await withTransport(address, (transport) =>
      transport.halt(reason, by),
    )
    const at = systemClock.now()
    if (args.isOn('json')) {
      const { fleet } = address
      io.json({ fleet, by, at, reason, earlier: earlier ?? null, replicas, connectedReplicas, epoch })
      return EXIT.ok
    }
    if (earlier === undefined) io.out(`halted: the fleet ${address.fleet}, by ${by} at ${timeOf(at)}: ${reason}`)
    else {
      const since = earlier.at === undefined ? '' : ` at ${timeOf(earlier.at)}`
      io.out(`halted already: the fleet ${address.fleet}, by ${earlier.by}${since}: ${earlier.reason}`)
      io.out(`the audit log has this halt too: by ${by} at ${timeOf(at)}: ${reason}`)
    }
    if (connectedReplicas > 0) io.out(`${replicas} of ${connectedReplicas} replicas have confirmed it`)
    if (replicas < connectedReplicas)
      io.err(
        'warning: a replica that has not confirmed the halt would not know of it as the next primary. Halt again to ask once more.',
      )
    io.out(
      'every instance reverts at its next read, at the latest when its lease ends; `chaos fleet ls`, as a controller or an operator, shows it',
    )
    return EXIT.ok
  },
}

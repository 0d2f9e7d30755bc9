import { systemClock } from '@chaos/core/authoring'
import { whoRunsIt } from '../../controller/variables.js'
import { usage, type Arguments } from '../arguments/arguments.js'
import { fleetOptions, reasonOption } from '../arguments/common-options.js'
import { fleetOf, withTransport } from '../arguments/fleet.js'
import { EXIT } from '../process/exit-codes.js'
import type { Terminal } from '../process/terminal.js'
import type { Verb } from '../verb.js'
import { span, timeOf } from '../views/span.js'

/** The longest window, in ms: a day. A window that is meant to stay open is no window. */
const MAX_WINDOW_MS = 86_400_000

/** Permits runs for a time. */
export const open: Verb = {
  summary: 'permits runs for a time, and lifts a halt',
  notes: [
    'Needs the credential of an operator. `--for 0` closes the window. To prolong it ends no run.',
    'The window closes by itself, and every run in it ends then.',
  ],
  options: {
    for: { value: '<time>', help: `how long runs are permitted from now on, at most ${span(MAX_WINDOW_MS)}: 30m, 2h` },
    ...reasonOption,
    ...fleetOptions,
  },
  async run(args, io) {
    const forMs = args.time('for')
    if (forMs === undefined) throw usage('Name the time: `--for 2h`.')
    if (forMs > MAX_WINDOW_MS)
      throw usage(`A window is open for at most ${span(MAX_WINDOW_MS)}. Open it again tomorrow.`)
    return forMs === 0 ? shut(args, io) : permit(forMs, args, io)
  },
}

/** Forbids runs. */
export const close: Verb = {
  summary: 'closes the window: ends every run, and forbids new ones until it is opened again',
  notes: ['Needs the credential of an operator. Who has only that of a halter calls `chaos fleet halt`.'],
  options: { ...reasonOption, ...fleetOptions },
  run: shut,
}

async function permit(forMs: number, args: Arguments, io: Terminal): Promise<number> {
  const reason = args.text('reason')
  if (reason === undefined || reason.trim() === '') throw usage('Say why, for the audit log: `--reason "a drill"`.')
  const by = whoRunsIt()
  const address = fleetOf(args)
  const { halt, openForMs, epoch } = await withTransport(address, async (transport) => {
    const before = await transport.status()
    const { epoch } = await transport.permit(forMs, by, reason)
    return { halt: before.halt, openForMs: before.isPermitted ? before.openForMs : 0, epoch }
  })
  const until = systemClock.now() + forMs
  if (args.isOn('json')) {
    io.json({ fleet: address.fleet, by, reason, forMs, until, liftedHalt: halt ?? null, epoch })
    return EXIT.ok
  }
  if (halt !== undefined) io.out(`lifted the halt: ${halt}`)
  io.out(
    `${openForMs === 0 ? 'open' : forMs < openForMs ? 'shortened' : 'prolonged'}: the fleet ${address.fleet}, for ${span(forMs)}, until ${timeOf(until)}, by ${by}: ${reason}`,
  )
  return EXIT.ok
}

async function shut(args: Arguments, io: Terminal): Promise<number> {
  const by = whoRunsIt()
  const reason = args.text('reason') ?? 'no reason given'
  const address = fleetOf(args)
  const { epoch } = await withTransport(address, (transport) => transport.permit(0, by, reason))
  if (args.isOn('json')) io.json({ fleet: address.fleet, by, reason, forMs: 0, epoch })
  else io.out(`closed: the fleet ${address.fleet}, by ${by}: ${reason}. Every run ends, and none may begin.`)
  return EXIT.ok
}

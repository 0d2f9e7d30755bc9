import { systemClock } from '@chaos/core/authoring'
import { fleetOptions } from '../arguments/common-options.js'
import { fleetOf, withTransport } from '../arguments/fleet.js'
import { EXIT } from '../process/exit-codes.js'
import { everySecond } from '../process/every-second.js'
import type { Terminal } from '../process/terminal.js'
import type { Verb } from '../verb.js'
import { changeLine, viewJson, viewLines } from '../views/watch.js'
import { changesBetween, type FleetChange } from '../watch/changes.js'
import { fleetWatcher, type FleetView } from '../watch/fleet-view.js'

/** The most lines of one state that is printed once. */
const MAX_LINES = 10_000

/** Shows the runs of a fleet as they go, whoever has started them. */
export const watch: Verb = {
  summary: 'shows every run of the fleet, whoever has started it, and what each instance does in it',
  notes: [
    'Needs the credential of a controller or of an operator. Draws a table in a terminal, prints changes elsewhere, and ends with Ctrl-C.',
    'With --json, each change is one line of JSON; with --once too, the state is one document.',
  ],
  options: { ...fleetOptions, once: { help: 'print the state as it is now, and end' } },
  async run(args, io) {
    const address = fleetOf(args)
    const [isOnce, isJson] = [args.isOn('once'), args.isOn('json')]
    return withTransport(address, async (transport) => {
      const look = fleetWatcher(transport, () => systemClock.now())
      const first = await look()
      if (isOnce) {
        if (isJson) io.json(viewJson(address.fleet, first))
        else for (const line of viewLines(address.fleet, first, MAX_LINES)) io.out(line)
        return EXIT.ok
      }
      const show = isJson
        ? changes((change) => io.json(change, { isOneLine: true }))
        : io.isTerminal
          ? table(address.fleet, io)
          : changes((change) => io.out(changeLine(change)))
      show(first)
      await everySecond(io, async () => show(await look()))
      return EXIT.ok
    })
  },
}

/** Prints what has changed. */
function changes(print: (change: FleetChange) => void): (view: FleetView) => void {
  let before: FleetView | undefined
  return (view) => {
    for (const change of changesBetween(before, view)) print(change)
    before = view
  }
}

/** Draws the state over the one before, as much of it as the terminal holds. */
function table(fleet: string, io: Terminal): (view: FleetView) => void {
  io.raw('\u001b[2J')
  return (view) => {
    const { columns, rows } = io.size()
    io.draw(viewLines(fleet, view, rows - 1).slice(0, rows - 1), columns)
  }
}

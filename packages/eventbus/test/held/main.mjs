// Holds messages of every kind of bus, closes what they are held on, and lets their time come, or takes the fault back: by the built package, with real clients. Prints as JSON
// what became of them and what nobody caught. In a process of its own, since what goes wrong here ends a process.
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import { inject, isChaosError } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import {
  delayEvents,
  duplicateEvents,
  lagConsumer,
  loseAcks,
  partitionBus,
  redeliverEvents,
  reorderEvents,
  stallListeners,
  throttleEvents,
} from '@chaos/eventbus'
import { scenesOf } from './scenes.mjs'

const uncaught = []
process.on('uncaughtException', (error) => uncaught.push(`exception: ${error.message}`))
process.on('unhandledRejection', (error) => uncaught.push(`rejection: ${error?.message}`))

const FAULTS = {
  publish: {
    delay: () => delayEvents({ delayMs: 50, seam: 'publish' }),
    'delay, in any order': () => delayEvents({ delayMs: 50, seam: 'publish', order: 'free' }),
    reorder: () => reorderEvents({ withinMs: 50, window: 9, seam: 'publish' }),
    duplicate: () => duplicateEvents({ spacingMs: 50, seam: 'publish' }),
    throttle: () => throttleEvents({ perSecond: 1, seam: 'publish' }),
    partition: () => partitionBus({ way: 'outbound', messages: 'held' }),
  },
  delivery: {
    delay: () => delayEvents({ delayMs: 50 }),
    stall: () => stallListeners({ stallMs: 50 }),
    reorder: () => reorderEvents({ withinMs: 50, window: 9 }),
    duplicate: () => duplicateEvents({ spacingMs: 50 }),
    partition: () => partitionBus({ way: 'inbound', messages: 'held' }),
  },
  ack: {
    lag: () => lagConsumer({ processingMs: 50 }),
    'lose acks': () => loseAcks({ redeliverAfterMs: 50 }),
    'lose acks to the end': () => loseAcks(),
    redeliver: () => redeliverEvents({ afterMs: 50 }),
  },
}

async function until(holds, what) {
  for (const giveUpAt = Date.now() + 20_000; !holds(); await pause(1))
    if (Date.now() > giveUpAt) throw new Error(`Expected ${what}.`)
}

async function row(name, open, seam, fault, makeFault, ending) {
  const before = uncaught.length
  const scene = await open()
  const clock = manualClock()
  let injection
  try {
    injection = await inject(makeFault(), scene.bus, { clock, leaseMs: 600_000 })
  } catch (error) {
    await scene.dispose()
    // A fault that this bus cannot feel says so.
    if (isChaosError(error, 'CHAOS_TARGET_MISMATCH')) return []
    throw error
  }
  scene.send('1')
  scene.send('2')
  await until(
    () => injection.affected >= (scene.together ?? 2) && injection.held >= 1,
    `${name} to hold messages by ${fault}, got ${JSON.stringify(injection.snapshot())}`,
  )
  const closed = scene.close()
  if (scene.closesWhileHeld !== false) await closed
  if (ending === 'its time comes') await clock.advance(50_000)
  const { account, held } = await injection.rollback()
  await closed
  await scene.dispose()
  for (let n = 0; n < 5; n += 1) await turn()
  return [{ name, seam, fault, ending, held, account, uncaught: uncaught.slice(before) }]
}

const ENDINGS = ['its time comes', 'it is taken back']
/** Each fault has one ending on each bus, in turn; in the whole soak it has both. */
const endingsOf = (turns) => (process.env.CHAOS_SOAK === 'whole' ? ENDINGS : [ENDINGS[turns % 2]])

async function rowsOf(servers) {
  const rows = []
  let turns = 0
  for (const { name, open, seams } of scenesOf(servers)) {
    for (const seam of seams) {
      for (const [fault, makeFault] of Object.entries(FAULTS[seam])) {
        for (const ending of endingsOf(turns)) rows.push(...(await row(name, open, seam, fault, makeFault, ending)))
        turns += 1
      }
    }
  }
  return rows
}

// What goes wrong in this very program is said, since the listeners above would keep it quiet.
const output = await rowsOf(JSON.parse(process.env.HELD_SERVERS ?? '{}')).then(JSON.stringify, (error) => ({ error }))
if (typeof output === 'string') process.stdout.write(output, () => process.exit())
else process.stderr.write(`${output.error.stack}\n`, () => process.exit(1))

// Puts every fault in force on every kind of target, by the built package, on the Node.js that runs this, and prints what was seen as JSON.
// Its arguments name kinds of targets; without any, all have their turn.
// A cell is what was seen of the fault, or `refused`: it is no target, and the fault says so. Anything else ends with an error.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { inject, isChaosError } from '@chaos/core'
import { shapeDifference, shapeOf } from '@chaos/core/testing'
import { FAULTS } from './faults.mjs'
import { KINDS } from './kinds.mjs'
import { until } from './until.mjs'

/** What of this process would keep it alive, and its child processes. */
const resources = () => [...process.getActiveResourcesInfo().filter((type) => type !== 'Timeout'), ...children()].sort()
const children = () =>
  readdirSync('/proc/self/task')
    .flatMap((thread) => readFileSync(`/proc/self/task/${thread}/children`, 'utf8').split(' '))
    .filter((pid) => pid !== '')
const listeners = (object) => (object.eventNames?.() ?? []).map((name) => [name, object.listenerCount(name)])

/** The standing faults after which the target is dead. */
const KILLING = ['killReturningWorkers', 'killMidTask']

async function cell(fault, { make, how, land }, makeScene) {
  const before = resources()
  const scene = await makeScene(make().name)
  const { target } = scene
  try {
    const shapes = scene.touched.map(shapeOf)
    const heard = scene.touched.map(listeners)
    if (!make().target.accepts(target)) {
      await assert.rejects(inject(make(), target), (error) => isChaosError(error, 'CHAOS_TARGET_MISMATCH'))
      return 'refused'
    }
    const seen = await land(scene, (more) => inject(make(), target, { ...how, ...more }))
    for (const [index, object] of scene.touched.entries()) {
      assert.equal(shapeDifference(shapes[index], shapeOf(object)), undefined)
      // What has died may have lost listeners of its own; it has none of ours.
      const now = new Map(listeners(object))
      for (const [name, count] of heard[index]) now.set(name, (now.get(name) ?? 0) - count)
      assert.deepEqual(
        [...now].filter(([, more]) => more > 0),
        [],
      )
    }
    if (make().kind === 'standing' && !KILLING.includes(fault)) await works(scene)
    return seen
  } finally {
    await scene.dispose()
    await until(`nothing to be left but ${String(before)}`, () => resources().length <= before.length).catch(
      (error) => {
        throw new Error(`${error.message} There was ${String(resources())}`)
      },
    )
  }
}

/** After a standing fault the target does again what it is there for. */
async function works({ answers, send, heard }) {
  if (answers !== undefined) await answers()
  if (send === undefined) return
  send({ n: 'again' })
  await until('an answer', () => heard.at(-1)?.n === 'again')
}

// Pools let the process go while they idle; this one stays until it is done.
setInterval(() => undefined, 60_000)
// Made when they are first asked for, which a worker does: they are ours.
void [process.stdout, process.stderr]
/** The kinds of targets that were asked for, by their names: all where none was. */
const asked = process.argv.slice(2)
const kinds = Object.entries(KINDS).filter(([kind]) => asked.length === 0 || asked.includes(kind))
const table = {}
for (const [fault, plan] of Object.entries(FAULTS)) {
  table[fault] = {}
  for (const [kind, makeScene] of kinds) {
    try {
      table[fault][kind] = await cell(fault, plan, makeScene)
    } catch (error) {
      throw new Error(`${fault} on ${kind}: ${error.message}`, { cause: error })
    }
  }
}
console.log(JSON.stringify({ node: process.versions.node.split('.')[0], ...table }, undefined, 2))
process.exit()

import { isMainThread } from 'node:worker_threads'
import { controllerRefusal, createChaos, type Chaos, type FaultFactoryFor, type Targets } from '@chaos/core'
import { openSocket } from '../index.js'
import { injectorsOf, type Injector } from './injectors.js'

/** Says of this process that it has been done, whichever copy of this module did it. */
const DONE = Symbol.for('@chaos/control/register')

/**
 * Opens a control socket in an app that has no chaos code. What can be broken comes from the injectors that the app in the current folder depends
 * on. It never throws or rejects, and never ends the process: what is wrong is a line on standard error, and the app goes on.
 *
 * Where chaos is not switched on, nothing is loaded and nothing opened. `CHAOS_ALLOW_ENVIRONMENT` names an environment beside development and test.
 */
export async function registerProcess(folder = process.cwd(), env = process.env): Promise<void> {
  // A preload runs in every thread.
  if (!isMainThread || Reflect.has(globalThis, DONE)) return
  Reflect.set(globalThis, DONE, true)
  try {
    const allowed = env['CHAOS_ALLOW_ENVIRONMENT']
    const allowEnvironments = ['development', 'test', ...(allowed === undefined || allowed === '' ? [] : [allowed])]
    const refusal = controllerRefusal(undefined, allowEnvironments, env)
    if (refusal !== undefined) throw refusal
    const chaos = createChaos({ allowEnvironments })
    // At once as far as possible: a pool that the app makes as it starts is to be met.
    await Promise.all(injectorsOf(folder).map((injector) => offer(chaos, injector)).filter((late) => late !== undefined))
    await openSocket(chaos.controller)
  } catch (error) {
    say(`no control socket was opened: ${inWords(error)}`)
  }
}

/** Offers what an injector has. One that fails stops no other. */
function offer(chaos: Chaos, { name, targets }: Injector): Promise<void> | undefined {
  const failed = (error: unknown): void => say(`${name} has registered nothing more: ${inWords(error)}`)
  try {
    const found = targets()
    if (found instanceof Promise) return found.then((late) => add(chaos, late)).catch(failed)
    add(chaos, found)
  } catch (error) {
    failed(error)
  }
  return undefined
}

/** Whether the faults fit their target is checked as it is added. */
function add(chaos: Chaos, targets: Targets): void {
  for (const [name, { object, faults }] of Object.entries(targets)) chaos.target(name, object, faults as readonly FaultFactoryFor<object>[])
}

const say = (text: string): void => void process.stderr.write(`chaos: ${text}\n`)
const inWords = (error: unknown): string => (error instanceof Error ? error.message : String(error))

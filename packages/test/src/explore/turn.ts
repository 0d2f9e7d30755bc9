import timers from 'node:timers'
import { builtin } from '@chaos/core/authoring'

// A copy: fake timers replace the member of the module.
const { setImmediate: startImmediate } = builtin('node:timers', timers)

/** Waits for one turn of the event loop, in which rejections that nobody handles are reported. */
export const turn = (): Promise<void> => new Promise((resolve) => startImmediate(resolve))

import { defineFault } from '@chaos/core/authoring'
import type { Moment } from './agents-protocol.js'

/** What is broken in each agent's process. */
export interface Speaker {
  say(): 'whole' | 'broken'
  /** Hears when the fault comes and goes. */
  tell(what: Moment): void
}

/** Breaks a speaker, and tells when. */
export const mute = defineFault({
  name: 'lab/mute',
  kind: 'standing',
  summary: 'Breaks what a speaker says.',
  options: {},
  target: { expects: 'a speaker', accepts: () => true },
  inject(speaker: Speaker, _options, context) {
    const operation = context.operation('say')
    context.defer(() => speaker.tell('reverted'))
    context.patch(speaker, 'say', () => () => (operation.shouldInject([]) ? 'broken' : 'whole'))
    speaker.tell('applied')
  },
})

import { defineFault, type InjectionContext } from '@chaos/core/authoring'

export interface Speaker {
  say(): string
}

/** The break itself, for faults that do more than that. */
export function silenced(speaker: Speaker, context: InjectionContext): void {
  const operation = context.operation('say')
  context.patch(speaker, 'say', () => () => (operation.shouldInject([]) ? '' : 'hello'))
}

/** Silences a speaker while it is in force. */
export const silence = defineFault({
  name: 'test/silence',
  kind: 'standing',
  summary: 'Silences a speaker.',
  options: {},
  target: { expects: 'an object', accepts: () => true },
  inject(speaker: Speaker, _options, context) {
    silenced(speaker, context)
  },
})

import type { InjectionRequest } from '../data/types.js'
import type { Control } from './control.js'

/** What the form is about. */
export interface Chosen {
  readonly target: string
  readonly fault: string
  /** The controls of the options of the fault. */
  readonly options: readonly Control[]
  /** The controls of what every injection takes. */
  readonly how: readonly Control[]
  /** The id of the event stream that holds the injection, if the page does. */
  readonly connection: string | undefined
}

/** The body of the request. What was not entered is left out, so that defaults apply. */
export function requestOf({ target, fault, options, how, connection }: Chosen): InjectionRequest {
  const given = valuesOf(options)
  return {
    target,
    fault,
    ...(Object.keys(given).length === 0 ? {} : { options: given }),
    ...valuesOf(how),
    ...(connection === undefined ? {} : { connection }),
  }
}

const valuesOf = (controls: readonly Control[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    controls.map((control) => [control.name, control.value()] as const).filter(([, value]) => value !== undefined),
  )

/**
 * Finds the control that a refused request is about: the one that the server names, else the one that its message names
 * in backticks or quotes.
 */
export function controlOfProblem(
  controls: readonly Control[],
  field: string | undefined,
  message: string,
): Control | undefined {
  const path = field?.replace(/^\/?(?:options[./])?/, '').split(/[./[]/)[0]
  const named = controls.find(({ name }) => name === path)
  if (named !== undefined) return named
  return controls.find(({ name }) => message.includes(`\`${name}\``) || message.includes(`"${name}"`))
}

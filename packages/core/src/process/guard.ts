import { ChaosError } from '../basics/errors.js'
import { listed } from '../basics/suggest.js'
import { printable } from '../basics/text.js'

/** Environments in which a controller may arm faults unless it is told otherwise. */
export const DEFAULT_ENVIRONMENTS: readonly string[] = ['development', 'test']

/** Whether an environment variable says yes. Only `1` and `true` do. */
const saysYes = (value: string | undefined): boolean => value === '1' || value === 'true'
/** Whether `CHAOS_DISABLED` says yes. */
export const isDisabled = (env: NodeJS.ProcessEnv = process.env): boolean => saysYes(env['CHAOS_DISABLED'])
const isProduction = (environment: string | undefined): boolean => environment?.trim().toLowerCase() === 'production'

/**
 * Why a bare `inject` is refused right now, or `undefined`. It works unless `CHAOS_DISABLED` says yes or `NODE_ENV` is production.
 */
export function bareRefusal(env: NodeJS.ProcessEnv = process.env): ChaosError | undefined {
  if (isDisabled(env)) return disabled()
  if (!isProduction(env['NODE_ENV'])) return undefined
  return new ChaosError(
    'CHAOS_ENVIRONMENT_REFUSED',
    'Expected an environment other than production, got NODE_ENV=production. Faults are not injected there; use a controller with a named environment if this process is not production after all.',
  )
}

/**
 * Why a controller may not arm anything right now, or `undefined`.
 *
 * `CHAOS_DISABLED` always wins. Under `NODE_ENV=production` the app must pass another environment, and `CHAOS_ALLOW_ENVIRONMENT`
 * must name the same: two people have to mean it.
 *
 * @param passed The environment that the app passed; else `NODE_ENV` counts.
 * @param allowed Environments in which faults may be armed.
 */
export function controllerRefusal(
  passed: string | undefined,
  allowed: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): ChaosError | undefined {
  if (isDisabled(env)) return disabled()
  const environment = passed ?? env['NODE_ENV']
  if (environment === undefined || environment === '') {
    return refused(
      `Expected an environment (one of ${listed(allowed)}), got none. Set NODE_ENV, or pass \`environment\` to createChaos.`,
    )
  }
  if (isProduction(environment))
    return refused(
      'Expected an environment other than production, got `production`. Nothing is broken there on purpose.',
    )
  if (isProduction(env['NODE_ENV']) && env['CHAOS_ALLOW_ENVIRONMENT'] !== environment) {
    return refused(
      `Expected CHAOS_ALLOW_ENVIRONMENT=${printable(environment)} beside NODE_ENV=production, got \`${printable(env['CHAOS_ALLOW_ENVIRONMENT'] ?? '')}\`. Set it if this process really is ${printable(environment)}.`,
    )
  }
  if (!allowed.includes(environment)) {
    return refused(
      `Expected the environment to be one of ${listed(allowed)}, got \`${printable(environment)}\`. Name it in \`allowEnvironments\` of createChaos if faults may be armed there.`,
    )
  }
  return undefined
}

const refused = (message: string): ChaosError => new ChaosError('CHAOS_ENVIRONMENT_REFUSED', message)
const disabled = (): ChaosError =>
  new ChaosError('CHAOS_DISABLED', 'Chaos is switched off in this process (CHAOS_DISABLED). Unset it to arm faults.')

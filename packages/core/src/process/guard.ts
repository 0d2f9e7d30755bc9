import { ChaosError } from '../basics/errors.js'
import { listed } from '../basics/suggest.js'
import { printable } from '../basics/text.js'

/** The environments in which a controller may inject faults by default. */
export const DEFAULT_ENVIRONMENTS: readonly string[] = ['development', 'test']

/** Whether an environment variable is set to `1` or `true`. */
const isTrue = (value: string | undefined): boolean => value === '1' || value === 'true'
/** Whether `CHAOS_DISABLED` is `1` or `true`. */
export const isDisabled = (env: NodeJS.ProcessEnv = process.env): boolean => isTrue(env['CHAOS_DISABLED'])
const isProduction = (environment: string | undefined): boolean => environment?.trim().toLowerCase() === 'production'

/**
 * Returns why `inject` without a controller is refused right now, or `undefined`. It is refused if `CHAOS_DISABLED` is set
 * or `NODE_ENV` is `production`.
 */
export function bareRefusal(env: NodeJS.ProcessEnv = process.env): ChaosError | undefined {
  if (isDisabled(env)) return disabled()
  if (!isProduction(env['NODE_ENV'])) return undefined
  return new ChaosError(
    'CHAOS_ENVIRONMENT_REFUSED',
    'Faults are not injected under `NODE_ENV=production`. If this process is not in production, use `createChaos` with its `environment` and set `CHAOS_ALLOW_ENVIRONMENT` to the same value.',
  )
}

/**
 * Returns why a controller may not inject faults right now, or `undefined`.
 *
 * `CHAOS_DISABLED` always wins. Under `NODE_ENV=production` the application must pass another environment and
 * `CHAOS_ALLOW_ENVIRONMENT` must name the same one. So code and deployment must agree.
 *
 * @param passed The environment that the application passed. Default: `NODE_ENV`.
 * @param allowed The environments in which faults may be injected.
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
      `No environment is set. Set \`NODE_ENV\`, or pass \`environment\` to \`createChaos\`. Allowed: ${listed(allowed)}.`,
    )
  }
  if (isProduction(environment))
    return refused(
      'Faults are not injected in the environment `production`. If this process is not in production, set `NODE_ENV` or pass `environment` to `createChaos`.',
    )
  if (isProduction(env['NODE_ENV']) && env['CHAOS_ALLOW_ENVIRONMENT'] !== environment) {
    return refused(
      `Under \`NODE_ENV=production\`, expected \`CHAOS_ALLOW_ENVIRONMENT\` to be \`${printable(environment)}\`, got \`${printable(env['CHAOS_ALLOW_ENVIRONMENT'] ?? '')}\`. Set it if this process is not in production.`,
    )
  }
  if (!allowed.includes(environment)) {
    return refused(
      `Expected the environment to be one of ${listed(allowed)}, got \`${printable(environment)}\`. Add it to \`allowEnvironments\` of \`createChaos\` if faults may be injected there.`,
    )
  }
  return undefined
}

const refused = (message: string): ChaosError => new ChaosError('CHAOS_ENVIRONMENT_REFUSED', message)
const disabled = (): ChaosError =>
  new ChaosError(
    'CHAOS_DISABLED',
    'Chaos is switched off in this process by `CHAOS_DISABLED`. Unset it to inject faults.',
  )

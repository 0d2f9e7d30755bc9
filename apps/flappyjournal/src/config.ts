import { fileURLToPath, pathToFileURL } from 'node:url'
import type { StorageConfig } from './storage/open-storage.js'

/** The configuration of the app. Everything except the secret has a default. */
export interface Config extends StorageConfig {
  /** The port of the server. 0: any free port. */
  readonly port: number
  readonly host: string
  /** The secret that signs tokens (HS256), at least 32 characters. */
  readonly jwtSecret: string
  readonly environment: string | undefined
  /** The alert windows. `full`: minutes; `demo`: seconds. */
  readonly windows: 'full' | 'demo'
  /** Rule files of the evaluator, in addition to those that chaos adds. */
  readonly ruleFiles: readonly string[]
  /** The URL that receives alert changes in the format of an Alertmanager webhook. */
  readonly alertWebhookUrl: string | undefined
  /** Whether the supervisor restarts the worker. Off only in tests, which prove that its absence is noticed. */
  readonly supervisorRestarts: boolean
}

/** The folder of the app. The same from `src` and from `dist`. */
export const appFolder = fileURLToPath(new URL('..', import.meta.url))

/** The built file of the loop worker. The same from `src` and from `dist`. */
export const loopWorkerFile = pathToFileURL(`${appFolder}dist/loop-worker.js`)

/** The path of a rule file. */
export function ruleFile(name: 'alerts' | 'chaos', windows: Config['windows']): string {
  return `${appFolder}rules/${name}.${windows}.yml`
}

/** The scrape and evaluation interval, in ms. */
export function intervalMs({ windows }: Pick<Config, 'windows'>): number {
  return windows === 'demo' ? 500 : 5_000
}

/**
 * Reads the configuration from environment variables.
 *
 * @throws TypeError when a value is invalid, or the secret is missing or too short
 */
export function configFrom(env: NodeJS.ProcessEnv): Config {
  const windows = env['FLAPPY_WINDOWS'] ?? 'full'
  if (windows !== 'full' && windows !== 'demo')
    throw new TypeError(`Expected FLAPPY_WINDOWS to be full or demo, got \`${windows}\`.`)
  const port = Number(env['PORT'] ?? 3000)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new TypeError(`Expected PORT to be a whole number from 0 to 65535, got \`${env['PORT'] ?? ''}\`.`)
  const jwtSecret = env['JWT_SECRET'] ?? ''
  if (jwtSecret.length < 32)
    throw new TypeError(`JWT_SECRET has ${jwtSecret.length} characters. Set it to a secret of at least 32 characters.`)
  const rules = env['FLAPPY_RULES']
  return {
    port,
    host: env['HOST'] ?? '127.0.0.1',
    jwtSecret,
    environment: env['NODE_ENV'],
    redisUrl: env['REDIS_URL'],
    levelPath: env['LEVEL_PATH'],
    windows,
    ruleFiles: rules === undefined ? [ruleFile('alerts', windows)] : rules.split(','),
    alertWebhookUrl: env['ALERT_WEBHOOK_URL'],
    supervisorRestarts: env['SUPERVISOR_RESTART'] !== 'off',
    storageFallback: env['STORAGE_FALLBACK'] !== 'off',
  }
}

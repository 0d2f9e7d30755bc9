import { fileURLToPath, pathToFileURL } from 'node:url'
import type { StorageConfig } from './storage/open-storage.js'

/** How the app runs. Everything has a default but the secret. */
export interface Config extends StorageConfig {
  /** 0: any free port. */
  readonly port: number
  readonly host: string
  /** What tokens are signed with (HS256). */
  readonly jwtSecret: string
  readonly environment: string | undefined
  /** `full`: windows of minutes; `demo`: windows of seconds. */
  readonly windows: 'full' | 'demo'
  /** Rule files of the evaluator, beside those that chaos brings. */
  readonly ruleFiles: readonly string[]
  /** Where alert changes are posted, in the shape of an Alertmanager webhook. */
  readonly alertWebhookUrl: string | undefined
  /** Off only in tests that prove that its absence is noticed. */
  readonly supervisorRestarts: boolean
}

/** Folder of the app, from `src` and from `dist` alike. */
export const appFolder = fileURLToPath(new URL('..', import.meta.url))

/** The built file of the loop worker; the same from `src` and from `dist`. */
export const loopWorkerFile = pathToFileURL(`${appFolder}dist/loop-worker.js`)

/** The rule file of a set of windows. */
export function ruleFile(name: 'alerts' | 'chaos', windows: Config['windows']): string {
  return `${appFolder}rules/${name}.${windows}.yml`
}

/** How often metrics are read and rules evaluated, in ms. */
export function intervalMs({ windows }: Pick<Config, 'windows'>): number {
  return windows === 'demo' ? 500 : 5_000
}

/**
 * Reads the configuration from environment variables.
 *
 * @throws TypeError when a value is not of its kind, or the secret is missing
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
    throw new TypeError(`Expected JWT_SECRET to be a text of at least 32 characters, got ${jwtSecret.length}.`)
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

import { installedPackages, type ControlClient, type InstalledPackage, type InstalledPackages } from '@chaos/control'
import { ChaosError, isChaosError, type ConnectedController } from '@chaos/core'
import { listed, messageOf, printable } from '@chaos/core/authoring'

/** What a command works with: the client of a process, or what a package connects to. */
export type Connection = Pick<ControlClient, Exclude<keyof ConnectedController, 'mintScope'>>

/** A package that connects to URLs: `"chaos": { "controller": "./controller", "schemes": ["redis"] }` in its package.json. */
interface Connector {
  readonly from: InstalledPackage
  readonly entry: string
  /** In lower case, without the colon. */
  readonly schemes: readonly string[]
}

/** The longest URL, in characters. */
const MAX_URL = 4_096
/** The most schemes of a package. */
const MAX_SCHEMES = 50
const SCHEME = /^[a-z][a-z0-9+.-]{0,50}$/

/**
 * Connects to a URL by the package, among the dependencies of the app in a folder, whose `chaos.schemes` has the scheme of the
 * URL. That package is the only one that is loaded. No message holds the URL, which may hold a password.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if there is not exactly one such package, or it cannot be loaded or keeps no
 *   contract; `CHAOS_ENDPOINT_UNREACHABLE` if its `connect` throws an error without a code of its own.
 */
export async function connectOn(url: string, folder: string): Promise<Connection> {
  const scheme = schemeOf(url)
  const installed = lookAround(folder)
  const connectors = installed.packages.flatMap(connectorOf)
  const [connector, ...others] = connectors.filter(({ schemes }) => schemes.includes(scheme))
  if (connector === undefined) throw invalid(nobody(scheme, folder, installed, connectors))
  if (others.length > 0)
    throw invalid(
      `Several installed packages connect to \`${scheme}:\`: ${listed([connector, ...others].map(({ from }) => printable(from.name)))}. Remove all but one from ${String(installed.manifest)}.`,
    )
  return connectBy(connector, url)
}

function schemeOf(url: string): string {
  const scheme = /^([^:/?#]*):/.exec(url)?.[1]?.toLowerCase()
  if (scheme === undefined || !SCHEME.test(scheme))
    throw invalid('Expected `--on` to be a URL, which begins with a scheme: `scheme://host`.')
  if (url.length > MAX_URL) throw invalid(`The URL of \`--on\` is longer than ${MAX_URL} characters.`)
  return scheme
}

function lookAround(folder: string): InstalledPackages {
  try {
    return installedPackages(folder)
  } catch (error) {
    throw invalid(`The installed packages cannot be read: ${messageOf(error)}`, error)
  }
}

function connectorOf(from: InstalledPackage): readonly Connector[] {
  const { controller: entry, schemes } = from.chaos
  if (typeof entry !== 'string' || !entry.startsWith('./') || !Array.isArray(schemes)) return []
  const named = schemes
    .slice(0, MAX_SCHEMES)
    .flatMap((scheme) => (typeof scheme === 'string' && SCHEME.test(scheme) ? [scheme] : []))
  return named.length === 0 ? [] : [{ from, entry, schemes: named }]
}

/** Why there is no package for a scheme, and what to do. */
function nobody(
  scheme: string,
  folder: string,
  { manifest, dependencies }: InstalledPackages,
  connectors: readonly Connector[],
): string {
  const none = `No installed package connects to \`${scheme}:\`.`
  const install = `Install one whose package.json has "${scheme}" in \`chaos.schemes\``
  const process = /^https?$/.test(scheme) ? ' For the control endpoint of a process, use `--url`.' : ''
  if (manifest === undefined)
    return `${none} Neither ${folder} nor a folder above it has a package.json. Run the command in the folder of your app. ${install}.${process}`
  const found =
    connectors.length === 0
      ? 'None of them connects to anything'
      : `Of these connect ${connectors.map(({ from, schemes }) => `${printable(from.name)} (${schemes.map((known) => `${known}:`).join(', ')})`).join(', ')}`
  return `${none} ${manifest} has ${dependencies} ${dependencies === 1 ? 'dependency' : 'dependencies'}. ${found}. ${install}, as a dependency there.${process}`
}

async function connectBy({ from, entry }: Connector, url: string): Promise<Connection> {
  const specifier = printable(`${from.name}${entry.slice(1)}`)
  const module = await loaded(from, entry).catch((error: unknown) => {
    throw invalid(`${specifier} cannot be loaded: ${shown(error)}`, error)
  })
  const { connect } = fieldsOf(module)
  if (typeof connect !== 'function')
    throw invalid(`${specifier} must export a function \`connect\`, but exports ${typeof connect}.`)
  let controller: unknown
  try {
    controller = await (connect as (url: string) => unknown)(url)
  } catch (error) {
    if (isChaosError(error)) throw error
    throw new ChaosError('CHAOS_ENDPOINT_UNREACHABLE', `${specifier} could not connect: ${shown(error)}`, {
      cause: error,
    })
  }
  const missing = missingOf(controller)
  if (missing.length > 0)
    throw invalid(
      `\`connect\` of ${specifier} must resolve to a \`ConnectedController\`, but it has no ${listed(missing)}.`,
    )
  return connectionOf(controller as ConnectedController)
}

/** Loads an entry. An error of loading rejects, also where the entry is required. */
const loaded = async (from: InstalledPackage, entry: string): Promise<unknown> => from.load(entry)

const METHODS = [
  'info',
  'targets',
  'faults',
  'injections',
  'inject',
  'check',
  'renew',
  'stop',
  'stopAll',
  'follow',
  'close',
] as const satisfies readonly (keyof ConnectedController)[]

/** What a value lacks that a connected controller has. */
function missingOf(value: unknown): readonly string[] {
  const given = fieldsOf(value)
  const lacking: string[] = METHODS.filter((name) => typeof given[name] !== 'function')
  return typeof fieldsOf(given['closed'])['then'] === 'function' ? lacking : [...lacking, 'closed']
}

/** The fields of any value: none of one that is no object. */
const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  Object(value) as Readonly<Record<string, unknown>>

/**
 * A connection by a controller of a package. What it injects always ends with it, so `hold` is not passed on. What a method
 * throws rejects, and `closed` never rejects, whatever the package does.
 */
function connectionOf(controller: ConnectedController): Connection {
  return {
    info: async () => controller.info(),
    targets: async () => controller.targets(),
    faults: async () => controller.faults(),
    injections: async () => controller.injections(),
    inject: async (target, fault, options, { hold: _hold, ...how } = {}) =>
      controller.inject(target, fault, options, how),
    check: async (target, fault, options, { hold: _hold, ...how } = {}) =>
      controller.check(target, fault, options, how),
    renew: async (id, leaseMs) => controller.renew(id, leaseMs),
    stop: async (id) => controller.stop(id),
    stopAll: async () => controller.stopAll(),
    follow: (listener) => controller.follow(listener),
    closed: Promise.resolve(controller.closed).catch(() => undefined),
    close: async () => controller.close(),
  }
}

/** The message of an error of a package, with its lines. */
const shown = (error: unknown): string => messageOf(error, { max: 2_000, lines: true })

const invalid = (message: string, cause?: unknown): ChaosError =>
  new ChaosError('CHAOS_INVALID_OPTION', message, cause === undefined ? {} : { cause })

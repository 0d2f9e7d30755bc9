/** What an attribute is that harms the original. */
export type HarmfulValue = 'negative rate' | 'average size below 1' | 'variation above average size'

/** What servers of Toxiproxy's API do differently on purpose. */
export interface Dialect {
  /** The addresses at which a proxy listens that names none. */
  readonly defaultListen: RegExp
  /** Whether a proxy is made with the toxics that its request lists. */
  readonly takesToxicsAtCreation: boolean
  /** Which values are refused. Each of them would end the process of the original at the next byte. */
  readonly refuses: Readonly<Record<HarmfulValue, boolean>>
  /** Whether traffic through a toxic never harms the server, whatever numbers it was given. */
  readonly survivesExtremes: boolean
  /** Whether the API answers while readers are stalled. */
  readonly answersWhileStalled: boolean
  /** Whether a refused update of a toxic changes nothing. */
  readonly updatesAtomically: boolean
  /** Whether a proxy can be reached whose name has a slash, written as `%2F`. */
  readonly reachesNamesWithSlash: boolean
  /** Whether there is a type `packet_loss`. */
  readonly hasPacketLoss: boolean
  /** Whether an end in one direction leaves the other one open. */
  readonly carriesHalfClose: boolean
  /** What one side sees of a reset by the other one. */
  readonly resetArrivesAs: 'ECONNRESET' | 'end'
  /** What a client sees of a `reset_peer` that is added while it is connected. */
  readonly lateResetArrivesAs: 'ECONNRESET' | 'end'
  /** What a client sees of an ordinary close through a `reset_peer` of toxicity 0. */
  readonly closeBesideResetArrivesAs: 'ECONNRESET' | 'end'
  /** Whether a connection keeps what was decided for it when toxics are edited. */
  readonly keepsDecisions: boolean
}

/** Toxiproxy 2.12.0. */
const toxiproxy: Dialect = {
  defaultListen: /^\[::\]:\d+$/,
  takesToxicsAtCreation: false,
  refuses: { 'negative rate': false, 'average size below 1': false, 'variation above average size': false },
  survivesExtremes: false,
  answersWhileStalled: false,
  updatesAtomically: false,
  reachesNamesWithSlash: false,
  hasPacketLoss: false,
  carriesHalfClose: false,
  resetArrivesAs: 'end',
  lateResetArrivesAs: 'end',
  closeBesideResetArrivesAs: 'ECONNRESET',
  keepsDecisions: false,
}

/** The server of this package. */
const chaos: Dialect = {
  defaultListen: /^127\.0\.0\.1:\d+$/,
  takesToxicsAtCreation: true,
  refuses: { 'negative rate': true, 'average size below 1': true, 'variation above average size': true },
  survivesExtremes: true,
  answersWhileStalled: true,
  updatesAtomically: true,
  reachesNamesWithSlash: true,
  hasPacketLoss: true,
  carriesHalfClose: true,
  resetArrivesAs: 'ECONNRESET',
  lateResetArrivesAs: 'ECONNRESET',
  closeBesideResetArrivesAs: 'end',
  keepsDecisions: true,
}

const dialects = { toxiproxy, chaos }

/**
 * What the suite expects: `TOXIPROXY_DIALECT`, which is `chaos` or `toxiproxy`. Default: `toxiproxy` for a server at
 * `TOXIPROXY_URL`, else `chaos`.
 */
export const dialect: Dialect = dialectOf(
  process.env['TOXIPROXY_DIALECT'] ?? (process.env['TOXIPROXY_URL'] === undefined ? 'chaos' : 'toxiproxy'),
)

function dialectOf(name: string): Dialect {
  if (name === 'toxiproxy' || name === 'chaos') return dialects[name]
  throw new Error(`Expected TOXIPROXY_DIALECT to be one of ${Object.keys(dialects).join(', ')}, got \`${name}\`.`)
}

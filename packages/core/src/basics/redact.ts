/** What stands in the place of a credential. */
const REDACTED = '[redacted]'

/** Words that name a credential, alone or at the end of a name: `password`, `dbPassword`, `x-auth-token`. */
const NAMES: ReadonlySet<string> = new Set([
  'password',
  'passwd',
  'pwd',
  'passphrase',
  'secret',
  'secrets',
  'token',
  'authorization',
  'cookie',
  'credential',
  'credentials',
  'apikey',
])
/** Pairs of words that name a credential: `apiKey`, `private_key`. */
const PAIRS: ReadonlySet<string> = new Set(['api key', 'private key', 'access key', 'secret key', 'signing key'])

/** The longest name that is looked at, in characters. */
const MAX_NAME = 200

/** Whether a name says that its value is a credential. Camel case, dashes, dots and underscores separate words. */
export function isCredentialName(name: string): boolean {
  if (name.length > MAX_NAME) return false
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
  return NAMES.has(words.at(-1) ?? '') || PAIRS.has(words.slice(-2).join(' '))
}

/**
 * Credentials within a text. Each pattern matches in linear time, because a match begins with a fixed text.
 *
 * - The password of a URL: `redis://user:password@host`.
 * - `Bearer …` and `Basic …` of an Authorization header.
 * - A JSON Web Token, and keys with the prefixes of GitHub, GitLab, Slack, Stripe, OpenAI, npm and AWS.
 * - A private key in PEM.
 */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/(:\/\/[^\s:/?#"]*:)[^\s/?#"]+(?=@)/g, `$1${REDACTED}`],
  [/\b(bearer|basic)( {1,4})[\w.~+/=-]{8,8192}/gi, `$1$2${REDACTED}`],
  [/(?<![\w.-])eyJ[\w-]{5,4096}\.[\w-]{5,8192}(?:\.[\w-]{0,4096})?/g, REDACTED],
  [/\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|[sr]k_live_|[sr]k_test_|sk-|npm_)[\w-]{16,512}/g, REDACTED],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, REDACTED],
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,16384}(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?/g, REDACTED],
]

/** Replaces what looks like a credential within a text. */
export function redactedText(text: string): string {
  return PATTERNS.reduce((known, [pattern, by]) => known.replace(pattern, by), text)
}

/**
 * Replaces what looks like a credential in data: values under names such as `password` or `apiKey`, and credentials within
 * texts. Returns the value itself if there is none. For what is journalled, logged or sent, never for what a fault works with.
 *
 * @param name The name under which the value is kept.
 */
export function redacted(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return value !== '' && isCredentialName(name) ? REDACTED : redactedText(value)
  if (Array.isArray(value)) {
    const parts = value.map((part) => redacted(part, name))
    return parts.some((part, index) => part !== value[index]) ? Object.freeze(parts) : value
  }
  if (!isPlainObject(value)) return value
  const entries = Object.entries(value).map(([key, part]) => [key, redacted(part, key)] as const)
  return entries.some(([key, part]) => part !== value[key]) ? Object.freeze(Object.fromEntries(entries)) : value
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

import * as v from 'valibot'
import { reasonOf } from './answer.js'

/** The longest name, and the longest other text (a query, an address, a description), in characters. */
const MAX_NAME = 500
const MAX_TEXT = 10_000
/** The longest time span, in ms: one day. */
const MAX_MS = 86_400_000
/** Default limit of a list's entries, and the most labels. */
const MAX_LIST = 100
export const MAX_LABELS = 50

// Each message completes "Expected `key` to be …".

const textUpTo = (length: number) =>
  v.pipe(
    v.string('a text'),
    v.minLength(1, 'a text that is not empty'),
    v.maxLength(length, `a text of at most ${length} characters`),
  )

const text = textUpTo(MAX_TEXT)
export const name = textUpTo(MAX_NAME)
export const named = (description: string) => v.pipe(name, v.description(description))
export const described = (description: string) => v.pipe(text, v.description(description))

export const listOf = <Item extends v.GenericSchema>(item: Item, what: string, length = MAX_LIST) =>
  v.pipe(v.array(item, `a list of ${what}`), v.maxLength(length, `a list of at most ${length} ${what}`))
export const names = (description: string) => v.pipe(listOf(name, 'names'), v.description(description))

export const number = v.pipe(v.number('a number'), v.finite('a finite number'))
/** A time span in ms that may be 0. */
export const durationMs = (description: string) => {
  const expected = `a number of ms from 0 to ${MAX_MS}`
  return v.pipe(v.number(expected), v.minValue(0, expected), v.maxValue(MAX_MS, expected), v.description(description))
}
/** A time span of at least 1 ms. */
export const spanMs = (description: string) =>
  v.pipe(durationMs(description), v.minValue(1, `a number of ms from 1 to ${MAX_MS}`))

export const labels = v.pipe(
  v.record(
    v.string(),
    v.pipe(v.string('a text'), v.maxLength(MAX_NAME, `a text of at most ${MAX_NAME} characters`)),
    'labels: names and texts',
  ),
  v.maxEntries(MAX_LABELS, `at most ${MAX_LABELS} labels`),
)

export const address = (description: string) =>
  v.pipe(
    text,
    v.regex(/^(https?:\/\/|\$\{)/, 'an address that begins with http:// or https://'),
    v.check(isAddress, 'an address that `fetch` accepts (host, no password)'),
    v.description(description),
  )

/** Whether a text contains a variable such as `${APP_URL}`. Such a text is validated again after substitution. */
export const hasVariable = (value: string): boolean => /\$\{\w+\}/.test(value)

function isAddress(given: string): boolean {
  const rest = given.replace(/\$\{\w+\}/g, '')
  // `${APP-URL}` is not a variable: its name contains an invalid character.
  if (rest.includes('${')) return false
  if (rest !== given) return true
  try {
    // `Request` also rejects addresses that `URL` accepts, for example with a password.
    return new URL(new Request(given).url).hostname !== ''
  } catch {
    return false
  }
}

/** Why a text does not compile. Texts with variables are not checked. @returns `undefined` if it compiles. */
export function problemOf(given: string, compile: (text: string) => unknown): string | undefined {
  if (hasVariable(given)) return undefined
  try {
    compile(given)
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

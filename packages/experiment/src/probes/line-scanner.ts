import { shown } from '../shared/answer.js'
import { numberOf } from '../shared/numbers.js'

/** The most labels of one sample. */
const MAX_LABELS = 64
/** The longest label name, series name and label value, in characters. */
const MAX_TEXT = 4_096

/** The contents of a pair of braces: labels and, optionally, the quoted name of the series. */
export interface Braces {
  readonly labels: Readonly<Record<string, string>>
  readonly name: string | undefined
}

/** Reads one line of a metrics page from left to right, each character once. Throws an Error at unexpected input. */
export class LineScanner {
  readonly #line: string
  #at = 0

  constructor(line: string) {
    this.#line = line
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#line.length
  }

  /** The next character; empty at the end. */
  get next(): string {
    return this.#line[this.#at] ?? ''
  }

  /** Skips spaces and tabs. @returns Whether there were any. */
  blanks(): boolean {
    const from = this.#at
    while (this.next === ' ' || this.next === '\t') this.#at += 1
    return this.#at > from
  }

  /** Reads the longest run of characters that match a pattern. */
  run(allowed: RegExp): string {
    const from = this.#at
    while (!this.isAtEnd && allowed.test(this.next)) this.#at += 1
    return this.#line.slice(from, this.#at)
  }

  isAt(character: string): boolean {
    return this.next === character
  }

  expect(character: string): void {
    if (!this.isAt(character))
      throw new Error(`expected ${character} at "${shown(this.#line.slice(this.#at, this.#at + 40))}"`)
    this.#at += 1
  }

  /** Reads a number. */
  number(): number {
    const text = this.run(/[^ \t#]/)
    const value = numberOf(text)
    if (value === undefined) throw new Error(`expected a number, got "${shown(text.slice(0, 40))}"`)
    return value
  }

  /** Reads a text in double quotes and resolves its escapes `\n`, `\"` and `\\`. */
  quoted(): string {
    this.expect('"')
    const from = this.#at
    while (!this.isAtEnd && this.next !== '"') this.#at += this.next === '\\' ? 2 : 1
    const text = this.#line.slice(from, this.#at)
    this.expect('"')
    if (text.length > MAX_TEXT) throw new Error(`a text is longer than ${MAX_TEXT} characters`)
    return text.replace(/\\(["\\n])/g, (_whole, letter: string) => (letter === 'n' ? '\n' : letter))
  }

  /** Reads labels in braces. A quoted text without a value is the name of the series, and must come first. */
  braces(): Braces {
    const labels = new Map<string, string>()
    let name: string | undefined
    this.expect('{')
    this.blanks()
    for (let isFirst = true; !this.isAt('}'); isFirst = false) {
      const isQuoted = this.isAt('"')
      const label = isQuoted ? this.quoted() : this.run(/\w/)
      if (label === '' || label.length > MAX_TEXT || (!isQuoted && /^\d/.test(label)))
        throw new Error('a label name is missing or invalid')
      this.blanks()
      if (isFirst && isQuoted && !this.isAt('=')) name = label
      else {
        this.expect('=')
        this.blanks()
        if (labels.has(label)) throw new Error(`the label ${shown(label)} occurs twice`)
        if (labels.size === MAX_LABELS) throw new Error(`there are more than ${MAX_LABELS} labels`)
        labels.set(label, this.quoted())
      }
      this.blanks()
      if (!this.isAt(',')) break
      this.expect(',')
      this.blanks()
    }
    this.expect('}')
    return { labels: Object.fromEntries(labels), name }
  }
}

/** Matches a whole text. Throws an Error when the step budget is used up. */
export type Matcher = (text: string, budget: Budget) => boolean

/** The steps that matching may still take, shared by several texts. */
export interface Budget {
  steps: number
}

/** The longest pattern, in characters. */
export const MAX_PATTERN = 500
/** The most states of a pattern after its counted repetitions are expanded. */
const MAX_STATES = 2_000
/** The deepest nesting of groups. */
const MAX_DEPTH = 20

type Accepts = (code: number) => boolean
/** A state of the automaton: it accepts one character and continues, or branches without consuming one. */
type State = { readonly accepts: Accepts; next: number } | { readonly choices: number[] }
/** A part of a pattern. It adds its states, last part first, and continues at `next`. @returns Its first state. */
type Part = (states: State[], next: number) => number

/**
 * Compiles a regular expression that matches a whole text in time linear in its length (Thompson's construction: every
 * state is visited at most once per character). It supports the common subset of JavaScript and of RE2, which
 * Prometheus uses: literals, `.`, `[a-z]`, `[^a-z]`, `\d \w \s` and their negations, groups, `|`, `* + ?` and `{n,m}`.
 * It does not support back-references and lookaround.
 *
 * @throws Error when the pattern is invalid or unsupported, or has more than 500 characters or 2,000 states
 */
export function compilePattern(pattern: string): Matcher {
  if (pattern.length > MAX_PATTERN)
    throw new Error(`the pattern has ${pattern.length} characters, more than ${MAX_PATTERN}`)
  const part = new PatternParser(pattern).whole()
  const states: State[] = [{ choices: [] }]
  const start = part(states, 0)
  return (text, budget) => run(states, start, text, budget)
}

function run(states: readonly State[], start: number, text: string, budget: Budget): boolean {
  let current = new Set<number>()
  const add = (to: Set<number>, from: number): void => {
    const open = [from]
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      budget.steps -= 1
      if (to.has(index)) continue
      to.add(index)
      const state = states[index]
      if (state !== undefined && 'choices' in state) open.push(...state.choices)
    }
    if (budget.steps < 0)
      throw new Error('matching labels took too many steps: use simpler patterns, or select fewer series')
  }
  add(current, start)
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    const following = new Set<number>()
    for (const index of current) {
      const state = states[index]
      if (state !== undefined && 'accepts' in state && state.accepts(code)) add(following, state.next)
    }
    budget.steps -= current.size
    if (following.size === 0) return false
    current = following
  }
  return current.has(0)
}

const isIn = (from: string, to: string): Accepts => {
  const [low, high] = [from.codePointAt(0) ?? 0, to.codePointAt(0) ?? 0]
  return (code) => code >= low && code <= high
}
const any =
  (...options: readonly Accepts[]): Accepts =>
  (code) =>
    options.some((accepts) => accepts(code))
const not =
  (accepts: Accepts): Accepts =>
  (code) =>
    !accepts(code)
const DIGIT = isIn('0', '9')
const WORD = any(DIGIT, isIn('a', 'z'), isIn('A', 'Z'), isIn('_', '_'))
const SPACE = any(isIn('\t', '\n'), isIn('\f', '\r'), isIn(' ', ' '))
const CLASSES: Readonly<Record<string, Accepts>> = {
  d: DIGIT,
  D: not(DIGIT),
  w: WORD,
  W: not(WORD),
  s: SPACE,
  S: not(SPACE),
}
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v' }

class PatternParser {
  readonly #characters: readonly string[]
  #at = 0
  #depth = 0

  constructor(pattern: string) {
    this.#characters = Array.from(pattern)
  }

  whole(): Part {
    const part = this.#alternatives()
    if (this.#at < this.#characters.length) throw this.#wrong('a `)` without its `(`')
    return part
  }

  get #next(): string | undefined {
    return this.#characters[this.#at]
  }

  #take(): string {
    const character = this.#next
    if (character === undefined) throw this.#wrong('it ends too early')
    this.#at += 1
    return character
  }

  #wrong(what: string): Error {
    return new Error(`unsupported pattern: ${what}, at character ${Math.min(this.#at + 1, this.#characters.length)}`)
  }

  #alternatives(): Part {
    const branches = [this.#sequence()]
    while (this.#next === '|') {
      this.#at += 1
      branches.push(this.#sequence())
    }
    const [first] = branches
    return branches.length === 1 && first !== undefined
      ? first
      : (states, next) => added(states, { choices: branches.map((branch) => branch(states, next)) })
  }

  #sequence(): Part {
    const parts: Part[] = []
    while (this.#next !== undefined && this.#next !== '|' && this.#next !== ')') {
      // A pattern always matches the whole text, so anchors at its ends are redundant.
      if ((this.#next === '^' && this.#at === 0) || (this.#next === '$' && this.#at === this.#characters.length - 1))
        this.#at += 1
      else parts.push(this.#repeated(this.#atom()))
    }
    return (states, next) => parts.reduceRight((after, part) => part(states, after), next)
  }

  #atom(): Part {
    const character = this.#take()
    switch (character) {
      case '(':
        return this.#group()
      case '[':
        return one(this.#class())
      case '.':
        return one(not(isIn('\n', '\n')))
      case '\\':
        return one(this.#escape())
      case '*':
      case '+':
      case '?':
      case '{':
        this.#at -= 1
        throw this.#wrong(
          `nothing before \`${character}\` to repeat (write \`\\${character}\` for the character itself)`,
        )
      case '^':
      case '$':
        this.#at -= 1
        throw this.#wrong(`\`${character}\` in the middle`)
      default:
        return one(isIn(character, character))
    }
  }

  #group(): Part {
    if (this.#next === '?') {
      if (this.#characters[this.#at + 1] !== ':') throw this.#wrong('`(?` other than `(?:`, such as lookaround')
      this.#at += 2
    }
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) throw this.#wrong(`groups nested deeper than ${MAX_DEPTH}`)
    const part = this.#alternatives()
    if (this.#next !== ')') throw this.#wrong('a `(` without its `)`')
    this.#at += 1
    this.#depth -= 1
    return part
  }

  #escape(): Accepts {
    const letter = this.#take()
    const known = Object.hasOwn(CLASSES, letter) ? CLASSES[letter] : undefined
    if (known !== undefined) return known
    const plain = this.#plain(letter)
    return isIn(plain, plain)
  }

  /** The character that an escape stands for. */
  #plain(letter: string): string {
    const control = Object.hasOwn(CONTROLS, letter) ? CONTROLS[letter] : undefined
    if (control !== undefined) return control
    if (/[0-9a-zA-Z]/.test(letter)) throw this.#wrong(`the unknown escape \`\\${letter}\``)
    return letter
  }

  #class(): Accepts {
    const isNegated = this.#next === '^'
    if (isNegated) this.#at += 1
    const options: Accepts[] = []
    while (this.#next !== ']' || options.length === 0) {
      const from = this.#take()
      if (from === ']' || (from === '[' && this.#next === ':')) throw this.#wrong('an empty class, or one by name')
      if (from === '\\' && this.#next !== undefined && Object.hasOwn(CLASSES, this.#next)) {
        options.push(this.#escape())
        continue
      }
      const low = from === '\\' ? this.#plain(this.#take()) : from
      if (this.#next !== '-' || this.#characters[this.#at + 1] === ']') {
        options.push(isIn(low, low))
        continue
      }
      this.#at += 1
      const to = this.#take()
      const high = to === '\\' ? this.#plain(this.#take()) : to
      if ((low.codePointAt(0) ?? 0) > (high.codePointAt(0) ?? 0)) throw this.#wrong('a range that goes backwards')
      options.push(isIn(low, high))
    }
    this.#at += 1
    return isNegated ? not(any(...options)) : any(...options)
  }

  #repeated(part: Part): Part {
    const counts = this.#counts()
    if (counts === undefined) return part
    // Greediness does not affect whether the whole text matches.
    if (this.#next === '?') this.#at += 1
    if (this.#next !== undefined && '*+?{'.includes(this.#next)) throw this.#wrong('a repetition of a repetition')
    const [least, most] = counts
    return (states, next) => {
      let from = next
      if (most === Number.POSITIVE_INFINITY) {
        const choices = [next]
        from = added(states, { choices })
        choices.push(part(states, from))
      } else
        for (let count = least; count < most; count += 1) from = added(states, { choices: [next, part(states, from)] })
      // Each repetition adds a state, so the state limit also bounds repetitions of an empty part.
      for (let count = 0; count < least; count += 1) from = added(states, { choices: [part(states, from)] })
      return from
    }
  }

  /** Reads a repetition: the minimum and maximum count of the part before it. */
  #counts(): readonly [number, number] | undefined {
    const sign = this.#next
    if (sign !== '*' && sign !== '+' && sign !== '?' && sign !== '{') return undefined
    this.#at += 1
    if (sign === '*') return [0, Number.POSITIVE_INFINITY]
    if (sign === '+') return [1, Number.POSITIVE_INFINITY]
    if (sign === '?') return [0, 1]
    const [, least = '', comma, most = ''] =
      /^(\d{1,4})(,(\d{1,4})?)?\}/.exec(this.#characters.slice(this.#at, this.#at + 12).join('')) ?? []
    if (least === '') throw this.#wrong('`{` without counts (write `\\{` for the character itself)')
    this.#at += this.#characters.slice(this.#at).indexOf('}') + 1
    const low = Number(least)
    const high = comma === undefined ? low : comma === ',' ? Number.POSITIVE_INFINITY : Number(comma.slice(1))
    if (high < low || most.length > 4) throw this.#wrong('counts that go backwards')
    return [low, high]
  }
}

function one(accepts: Accepts): Part {
  return (states, next) => added(states, { accepts, next })
}

function added(states: State[], state: State): number {
  if (states.length >= MAX_STATES)
    throw new Error(`unsupported pattern: it expands to more than ${MAX_STATES} states; use smaller repetitions`)
  return states.push(state) - 1
}

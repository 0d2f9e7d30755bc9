import { relative } from 'node:path'
import { quoted } from '../shell/quoted.js'

/** The longest title in a command. */
const MAX_TITLE = 1_000

/**
 * The command line that runs one test again with the same seed.
 *
 * @param words The command. Words that a shell would change are quoted.
 */
export function rerunLine(seed: string, words: readonly string[]): string {
  return [`CHAOS_SEED=${quoted(seed)}`, ...words.map(quoted)].join(' ')
}

/** A file as a word of a command, relative to the working directory. No word: the runner does not know the file. */
export function fileWords(path: string | undefined): readonly string[] {
  return path === undefined ? [] : [relative(process.cwd(), path)]
}

/** A regular expression that matches the title of one test. */
export function titlePattern(title: string): string {
  // A title that is cut ends where a wrapped line may, and still matches.
  const cut = title.slice(0, MAX_TITLE).replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
  return title.length > MAX_TITLE ? `^${cut}` : `^${cut}$`
}

/** The options of Node.js that say how it loads modules, and have a value. */
const WITH_VALUE = ['--import', '--require', '--loader', '--experimental-loader', '--conditions']
/** Those without a value. */
const ALONE = [
  '--experimental-strip-types',
  '--experimental-test-module-mocks',
  '--experimental-transform-types',
  '--experimental-vm-modules',
]
const LONG: Readonly<Record<string, string>> = { '-r': '--require', '-C': '--conditions' }

/** The options of Node.js by which this process loads modules, such as `--import=tsx`. Without them, a file of tests may not load. */
export function loaderWords(given: readonly string[] = process.execArgv): readonly string[] {
  const words = given.flatMap((word, n) => {
    const [start = '', ...rest] = word.split('=')
    const name = LONG[start] ?? start
    if (ALONE.includes(word)) return [word]
    const value = rest.length > 0 ? rest.join('=') : given[n + 1]
    return WITH_VALUE.includes(name) && value !== undefined ? [`${name}=${value}`] : []
  })
  // Newer versions of Node.js give the process of a test the same option in both forms.
  return [...new Set(words)]
}

import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { NODE_VERSIONS, nodeProgram } from '../../src/node-versions.js'
import { run } from '../../src/run.js'

/** What V8 says of an object that had a fault, beside one that had none. */
interface Answer {
  /** Both have one hidden class. */
  readonly alike: boolean
  /** Both are fast, or both are slow dictionaries. */
  readonly fast: boolean
  /** `assert.deepStrictEqual` held while the fault was in force. */
  readonly equalsInForce: boolean
}

const PROGRAM = fileURLToPath(new URL('ask-v8.mjs', import.meta.url))
const versions = process.env['CHAOS_SOAK'] === undefined ? [process.versions.node] : NODE_VERSIONS

/** The limit of decision 0001. If a line no longer holds, correct the decision and the page on performance too. */
function expected(version: string): Record<string, Answer> {
  const major = Number(version.split('.')[0])
  const equalsInForce = major >= 22
  const alike = major >= 24
  const plain = { alike, fast: true, equalsInForce }
  const grown = { alike, fast: alike, equalsInForce }
  return {
    untouched: plain,
    'a key added in force, from integer to fraction': grown,
    'a key added after, from integer to fraction': grown,
    'a key added after, a fraction from the start': plain,
    'a key that was there, from integer to fraction': plain,
    'frozen after': plain,
    'a subclass, a key from integer to fraction': grown,
    // Redefined in place, so that the object has another function meanwhile, and no trace afterwards.
    'an own member': { alike: true, fast: true, equalsInForce: false },
  }
}

describe.each(versions)('on Node.js %s', (version) => {
  it('V8 stores an object that had a fault as decision 0001 says', async (context) => {
    const program = await nodeProgram(version)
    if (program === undefined) {
      if (process.env['CHAOS_REQUIRE_SERVICES'] === 'all') throw new Error(`Expected Node.js ${version} to be there.`)
      return context.skip(`npm cannot fetch Node.js ${version}`)
    }
    const { stdout } = await run(program, ['--allow-natives-syntax', PROGRAM])
    expect(JSON.parse(stdout)).toEqual(expected(version))
  })
})

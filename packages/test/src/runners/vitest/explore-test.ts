import { isChaosError } from '@chaos/core'
import { test } from 'vitest'
import { explore } from '../../explore/explore.js'
import type { ExploredTest, ExploreOptions, TargetMap } from '../../explore/options.js'
import { stackAbove } from '../../test-chaos/recorded.js'

/** Declares a test that is run under every set of faults that it can reach. See `explore` of `@chaos/test`. */
export type ExploreTest = <const Targets extends TargetMap>(
  title: string,
  options: Omit<ExploreOptions<Targets>, 'name'>,
  body: ExploredTest<Targets>,
) => void

/** A test that explores. A finding fails it; what was explored is an annotation of the test. */
export const exploreTest: ExploreTest = (title, options, body) => {
  const declaredAt = stackAbove(exploreTest)
  // The search has a budget of its own, and each of its runs a deadline.
  test(title, { timeout: 0 }, async ({ annotate }) => {
    const { CHAOS_SEED: seed } = process.env
    try {
      const { line } = await explore({ ...(seed === undefined ? {} : { seed }), ...options, name: title }, body)
      await annotate(line)
    } catch (error) {
      // A report has no line of its own: Vitest shows the test.
      if (isChaosError(error)) error.stack = `${error.name}: ${error.message}\n${declaredAt}`
      throw error
    }
  })
}

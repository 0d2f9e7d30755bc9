import type { Subject } from '../src/search/model.js'
import { search, type SearchOptions, type SearchResult } from '../src/search/search.js'
import { survey } from '../src/search/survey.js'

const defaults: SearchOptions = {
  depth: 2,
  budgetMs: Number.POSITIVE_INFINITY,
  seed: '1',
  thorough: false,
  nodeRule: false,
  now: () => 0,
  onProgress: () => undefined,
  isGivenUp: () => false,
  maxFindings: Number.POSITIVE_INFINITY,
}

/** Surveys a subject and searches it, without a bound on time. */
export async function searched(subject: Subject, options: Partial<SearchOptions> = {}): Promise<SearchResult> {
  return search(subject, await survey(subject), { ...defaults, ...options })
}

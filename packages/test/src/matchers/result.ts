/** What a matcher answers, as Vitest, Jest and Playwright want it. */
export interface MatcherResult {
  readonly pass: boolean
  /** Says what was expected and what happened: of a failure, and of a success that `not` makes a failure. */
  readonly message: () => string
}

/** An answer with one text for each outcome. */
export function result(pass: boolean, failed: () => string, passed: () => string): MatcherResult {
  return { pass, message: pass ? passed : failed }
}

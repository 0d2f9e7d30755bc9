// Adds up what every suite of this run reported and ends with one line: the totals of `npm test`.
// With CHAOS_REQUIRE_SERVICES=all a skipped test is a failure: the suites that need a server must have run.
import { readFileSync, readdirSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const packages = ['packages', 'apps'].flatMap((dir) => readdirSync(join(root, dir)).map((name) => join(dir, name))).concat('e2e', 'bench')

const totals = { passed: 0, failed: 0, skipped: 0 }
for (const dir of packages) {
  const results = join(root, dir, 'test-results')
  if (!existsSync(results)) continue
  for (const file of readdirSync(results).filter((name) => name.endsWith('.json'))) {
    const report = JSON.parse(readFileSync(join(results, file), 'utf8'))
    totals.passed += report.numPassedTests
    totals.failed += report.numFailedTests
    totals.skipped += report.numPendingTests + report.numTodoTests
    for (const suite of report.testResults) {
      for (const test of suite.assertionResults) {
        if (test.status === 'pending' || test.status === 'skipped' || test.status === 'todo') console.log(`skipped: ${dir}: ${test.fullName}`)
      }
    }
  }
}
const required = process.env.CHAOS_REQUIRE_SERVICES === 'all'
if (required && totals.skipped > 0) {
  console.log(`CHAOS_REQUIRE_SERVICES=all: expected every suite to run, ${totals.skipped} skipped.`)
  totals.failed += totals.skipped
}
console.log(`Tests: ${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exit(totals.failed > 0 || totals.passed === 0 ? 1 : 0)

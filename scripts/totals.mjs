// Adds up what every suite of this run reported and ends with one line: the totals of `npm test`.
// A suite that reported nothing is a failure.
// With CHAOS_REQUIRE_SERVICES=all a skipped test is a failure: the suites that need a server must have run.
import { readFileSync, readdirSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { folders, root, scriptsOf } from './workspace.mjs'

const totals = { passed: 0, failed: 0, skipped: 0 }
const missing = []
for (const dir of folders) {
  const results = join(root, dir, 'test-results')
  const files = existsSync(results) ? readdirSync(results).filter((name) => name.endsWith('.json')) : []
  // Each run of a package's scripts leaves a file. What was ended from outside may leave none and still say that all is well.
  const scripts = scriptsOf(dir)
  const runs =
    Object.entries(scripts)
      .filter(([name]) => /^(test|e2e)\b/.test(name))
      .map(([, script]) => script)
      .join(' ')
      .split('vitest run').length - 1
  if (files.length < runs)
    missing.push(
      `${dir}: expected results of ${runs} runs of vitest, got ${files.length}. Run the tests again, to their end.`,
    )
  for (const file of files) {
    const report = JSON.parse(readFileSync(join(results, file), 'utf8'))
    totals.passed += report.numPassedTests
    totals.failed += report.numFailedTests
    totals.skipped += report.numPendingTests + report.numTodoTests
    for (const suite of report.testResults) {
      for (const test of suite.assertionResults) {
        if (test.status === 'pending' || test.status === 'skipped' || test.status === 'todo')
          console.log(`skipped: ${dir}: ${test.fullName}`)
      }
    }
  }
}
for (const line of missing) console.log(line)
const required = process.env.CHAOS_REQUIRE_SERVICES === 'all'
if (required && totals.skipped > 0) {
  console.log(`CHAOS_REQUIRE_SERVICES=all: expected every suite to run, ${totals.skipped} skipped.`)
  totals.failed += totals.skipped
}
console.log(`Tests: ${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exit(totals.failed > 0 || totals.passed === 0 || missing.length > 0 ? 1 : 0)

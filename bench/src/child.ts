// Measures one case and prints its readings: `node child.js <suite> <case> <rounds> <quick | whole> [sabotage]`. Nothing else runs in this process.
import { sabotage, type Sabotage } from './runner/arm.js'
import { isPending } from './runner/case.js'
import { suites } from './suites/index.js'

const [suiteName, caseName, rounds, size, sabotageName] = process.argv.slice(2)
const found = suites.find(({ name }) => name === suiteName)?.cases.find(({ name }) => name === caseName)
if (found === undefined || isPending(found))
  throw new Error(
    `Expected a suite and a case that can be measured, got \`${String(suiteName)}\` and \`${String(caseName)}\`.`,
  )
if (sabotageName !== undefined) sabotage(sabotageName as Sabotage)
process.stdout.write(JSON.stringify(await found.measure(Number(rounds), size === 'quick')), () => {
  // Whatever a target or a peer has left open.
  process.exit(0)
})

import { compare, type Comparison } from './compare.js'
import { emitterCases } from './emitter.js'
import { armAndRollBackUs, stopAllMs } from './life-cycle.js'
import { methodCases } from './method.js'

function table(title: string, comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ name, medianNs, ratio }) => `| ${name} | ${medianNs.toFixed(1)} | ${ratio.median.toFixed(2)} | ${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)} |`)
  return [`### ${title}`, '', '| case | ns | ratio to the bare call | over the rounds |', '| --- | --- | --- | --- |', ...rows, ''].join('\n')
}

console.log(`Node.js ${process.version}, ${process.platform} ${process.arch}\n`)
console.log(table('emit, 1 listener', await compare(emitterCases(1))))
console.log(table('emit, 4 listeners', await compare(emitterCases(4))))
console.log(table('async method', await compare(methodCases())))
console.log(`Arming and rolling back one fault: ${(await armAndRollBackUs()).toFixed(1)} µs.`)
console.log(`stopAll with 1,000 faults and 10,000 held events: ${(await stopAllMs()).toFixed(1)} ms.`)

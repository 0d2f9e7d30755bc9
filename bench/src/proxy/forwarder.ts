// A forwarder in a process of its own, `node --expose-gc forwarder.js <kind> <port of the upstream>`, which does what its parent process asks for.
import { inject, type Fault, type Injection } from '@chaos/core'
import { faults } from '@chaos/proxy/faults'
import type { ProxyTarget } from '@chaos/proxy'
import { GCProfiler } from 'node:v8'
import { startForwarder, type Kind } from './forwarders.js'
import type { Allocations, Answer, Question, Usage } from './messages.js'

const [kind, upstream] = process.argv.slice(2)
const forwarder = await startForwarder(kind as Kind, Number(upstream))
const armed: Injection[] = []
let profiler: { readonly stop: () => Allocations } | undefined

async function answer(question: Question): Promise<Answer> {
  if (question.do === 'arm') {
    const { fault, options, how } = question
    if (forwarder.proxy === undefined) throw new Error('Expected a proxy, a pipe has no faults.')
    armed.push(await inject(faultOf(fault, options), forwarder.proxy, { leaseMs: 600_000, ...how }))
  } else if (question.do === 'disarm') for (const injection of armed.splice(0)) await injection.rollback()
  else if (question.do === 'use') return usage()
  else if (question.do === 'count') profiler = countAllocations()
  else if (profiler !== undefined) return profiler.stop()
  return {}
}

/** Makes a fault by its name. */
function faultOf(name: string, options: object): Fault<ProxyTarget> {
  const make = faults.find(({ catalog }) => catalog.name === name) as
    | ((options: object) => Fault<ProxyTarget>)
    | undefined
  if (make === undefined) throw new Error(`Unknown fault \`${name}\`.`)
  return make(options)
}

/** What this process uses, without what is garbage. */
function usage(): Usage {
  const { user, system } = process.cpuUsage()
  ;(globalThis as { readonly gc?: () => void }).gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  return {
    cpuMs: (user + system) / 1_000,
    rssKiB: rss / 1_024,
    heapKiB: heapUsed / 1_024,
    heldBytes: forwarder.proxy?.counters.downstream.bytesHeld ?? 0,
  }
}

/** Adds up what is allocated on the heap between collections of garbage. */
function countAllocations(): { readonly stop: () => Allocations } {
  const profiled = new GCProfiler()
  let last = process.memoryUsage().heapUsed
  profiled.start()
  return {
    stop() {
      let bytes = 0
      for (const { beforeGC, afterGC } of profiled.stop().statistics) {
        bytes += beforeGC.heapStatistics.usedHeapSize - last
        last = afterGC.heapStatistics.usedHeapSize
      }
      return { allocatedKiB: (bytes + process.memoryUsage().heapUsed - last) / 1_024 }
    },
  }
}

process.on('message', (question: Question & { readonly id: number }) => {
  answer(question).then(
    (value) => process.send?.({ id: question.id, value }),
    (error: unknown) => process.send?.({ id: question.id, error: String(error) }),
  )
})
// The parent has ended, in whatever way.
process.on('disconnect', () => process.exit(0))
process.send?.({ port: forwarder.port, url: forwarder.url })

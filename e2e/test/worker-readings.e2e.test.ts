import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { createChaos, target } from '@chaos/core'
import { defineExperiment, runExperiment, type ExperimentResult } from '@chaos/experiment'
import { observeWorkers, terminateWorker } from '@chaos/worker'
import { expect, it, onTestFinished } from 'vitest'

/** Kills the one worker of an app, and judges it by what `observeWorkers` reads. */
async function killed(app: { readonly restarts: boolean; readonly withinMs: number }): Promise<ExperimentResult> {
  let isOver = false
  const start = (): Worker => {
    const started = new Worker(
      "const { parentPort } = require('node:worker_threads'); parentPort.postMessage('ready'); setInterval(() => undefined, 1_000)",
      { eval: true },
    )
    started.once('exit', () => {
      if (app.restarts && !isOver) worker = start()
    })
    return started
  }
  let worker = start()
  await once(worker, 'message')
  const seen = observeWorkers(() => worker, { isGood: (message) => message === 'ready' })
  const chaos = createChaos({ environment: 'test', targets: { worker: target(() => worker, [terminateWorker]) } })
  onTestFinished(async () => {
    isOver = true
    seen.close()
    await Promise.all([worker.terminate(), chaos.close()])
  })
  return runExperiment(
    defineExperiment({
      title: 'kill the worker',
      steadyState: {
        holdForMs: 100,
        probes: [
          {
            name: 'workers healed',
            type: 'function',
            read: seen.probe('healed'),
            timeoutMs: 400,
            tolerance: { equals: true },
          },
          {
            name: 'deaths without an answer',
            type: 'function',
            read: seen.probe('unanswered'),
            timeoutMs: 400,
            tolerance: { equals: 0 },
          },
        ],
        mayBreach: ['workers healed', 'deaths without an answer'],
      },
      method: [{ inject: { target: 'worker', fault: 'terminate-worker' } }],
      recovery: { withinMs: app.withinMs },
      afterwards: [{ name: 'restarts', type: 'function', read: seen.probe('restarts'), tolerance: { equals: 1 } }],
    }),
    { controller: chaos.controller, pollMs: 10 },
  )
}

it('judges by what observeWorkers reads: a worker that is brought back', async () => {
  const { verdict, evidence } = await killed({ restarts: true, withinMs: 60_000 })
  expect(verdict.name, verdict.cause).toBe('pass')
  expect(evidence.afterwards).toMatchObject([{ name: 'restarts', sample: { value: 1 } }])
})

it('judges by what observeWorkers reads: one that is not', async () => {
  const { verdict } = await killed({ restarts: false, withinMs: 500 })
  expect(verdict.name, verdict.cause).toBe('weakness-found')
})

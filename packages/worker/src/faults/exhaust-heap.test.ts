import type { Worker } from 'node:worker_threads'
import { inject, injectedBy } from '@chaos/core'
import { describe, expect, it } from 'vitest'
import { isAlive, startWorker } from '../../test/support.js'
import { exhaustHeap } from './exhaust-heap.js'

async function startSmall(errors: Error[] = []): Promise<Worker> {
  const worker = await startWorker(undefined, {
    resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 },
  })
  return worker.on('error', (error) => errors.push(error))
}

describe('exhaustHeap', () => {
  it('makes V8 end the worker at its own limit, while the others live on', async () => {
    const errors: (Error & { readonly code?: string })[] = []
    const [worker, other] = [await startSmall(errors), await startSmall()]
    const { threadId } = worker
    const { evidence } = await inject(exhaustHeap(), [worker, other])
    expect(errors.map(({ code }) => code)).toEqual(['ERR_WORKER_OUT_OF_MEMORY'])
    expect(injectedBy(errors[0])).toBe('worker/exhaust-heap')
    expect(evidence).toMatchObject([
      { threadId, exitCode: 1, error: expect.stringContaining('memory limit') as string },
    ])
    expect(isAlive(other)).toBe(true)
  })

  it('refuses a worker without its own limit, and leaves all workers alone', async () => {
    const workers = [await startSmall(), await startWorker()]
    await expect(inject(exhaustHeap({ select: 'all' }), workers)).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
      message: expect.stringContaining('at most 512') as string,
    })
    expect(workers.map(isAlive)).toEqual([true, true])
  })

  it('refuses a limit above `maxHeapMb`', async () => {
    await expect(inject(exhaustHeap({ maxHeapMb: 16 }), await startSmall())).rejects.toThrow(
      'at most 16 (`maxHeapMb`), got `24`',
    )
  })
})

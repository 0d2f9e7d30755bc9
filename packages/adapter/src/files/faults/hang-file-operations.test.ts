import { inject } from '@chaos/core'
import fs from 'node:fs'
import fsPromises from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { temporaryFolder } from '../../../test/temporary-folder.js'
import { hangFileOperations } from './hang-file-operations.js'

describe('hangFileOperations', () => {
  it('gives no answer until it ends, then the real one, in every form that can wait', async () => {
    const path = join(temporaryFolder(), 'file')
    fs.writeFileSync(path, 'content')
    const injection = await inject(hangFileOperations({ paths: path }), fs)
    const answers = [
      promisify(fs.stat)(path),
      fsPromises.stat(path),
      fsPromises.readFile(path, 'utf8'),
      promisify(fs.readFile)(path, 'utf8'),
    ]
    expect([injection.held, injection.affected]).toEqual([4, 4])
    expect(fs.readFileSync(path, 'utf8'), 'a call that nothing could end').toBe('content')
    expect(injection.seen).toBe(4)
    await injection.rollback()
    const [one, two, ...texts] = await Promise.all(answers)
    expect([(one as fs.Stats).size, (two as fs.Stats).size, ...texts]).toEqual([7, 7, 'content', 'content'])
  })

  it('keeps whoever gives up by a signal waiting, as a volume without a server does', async () => {
    const path = join(temporaryFolder(), 'file')
    fs.writeFileSync(path, 'x'.repeat(2 ** 20))
    const injection = await inject(hangFileOperations({ paths: path, operations: 'read' }), fs)
    const controller = new AbortController()
    const reading = fsPromises.readFile(path, { signal: controller.signal }).catch((error: unknown) => error)
    await vi.waitFor(() => expect(injection.held).toBe(1))
    controller.abort(new Error('enough'))
    await turn()
    expect(injection.held).toBe(1)
    await injection.rollback()
    expect(await reading).toMatchObject({ code: 'ABORT_ERR', cause: { message: 'enough' } })
  })
})

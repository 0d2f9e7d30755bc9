import { inject, withFault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import fsPromises from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { rejection } from '../../../test/rejection.js'
import { temporaryFolder } from '../../../test/temporary-folder.js'
import { delayFileOperations } from './delay-file-operations.js'

describe('delayFileOperations', () => {
  const written = (content = 'content'): string => {
    const path = join(temporaryFolder(), 'file')
    fs.writeFileSync(path, content)
    return path
  }

  /** Every form that answers later, by what it reads. */
  const forms: Readonly<Record<string, (path: string, signal?: AbortSignal) => Promise<string>>> = {
    'a callback': (path, signal) =>
      new Promise((resolve, reject) =>
        fs.readFile(path, { encoding: 'utf8', signal }, (error, text) =>
          error === null ? resolve(text) : reject(error),
        ),
      ),
    'a promise': (path, signal) => fs.promises.readFile(path, { encoding: 'utf8', signal }),
    'a stream': async (path, signal) => {
      let text = ''
      for await (const chunk of fs.createReadStream(path, {
        encoding: 'utf8',
        ...(signal === undefined ? {} : { signal }),
      }))
        text += String(chunk)
      return text
    },
  }

  it.each(Object.entries(forms))(
    'holds each system call of %s back, and gives what it gives in health',
    async (_form, read) => {
      // Node.js 26 reads a small file in one step.
      const content = 'x'.repeat(2 ** 20)
      const [path, clock] = [written(content), manualClock()]
      await withFault(
        delayFileOperations({ paths: path, delayMs: 100, operations: ['open', 'read'] }),
        fs,
        { clock },
        async (injection) => {
          const [reading, done] = [read(path), vi.fn()]
          void reading.then(done)
          await vi.waitFor(() => expect([injection.held, injection.affected]).toEqual([1, 1]))
          await clock.advance(99)
          expect(injection.held).toBe(1)
          await clock.advance(1)
          await vi.waitFor(() => expect([injection.held, injection.affected]).toEqual([1, 2]))
          expect(done).not.toHaveBeenCalled()
          await injection.rollback()
          expect((await reading) === content).toBe(true)
        },
      )
    },
  )

  it.each(Object.entries(forms))(
    'keeps %s waiting though its signal aborts, as the system does: Node.js looks at the signal between two steps',
    async (_form, read) => {
      const path = written('x'.repeat(2 ** 20))
      for (const operations of ['open', 'read']) {
        const injection = await inject(delayFileOperations({ paths: path, delayMs: 60_000, operations }), fs)
        const controller = new AbortController()
        const ended = vi.fn()
        const reading = rejection(read(path, controller.signal)).finally(ended)
        await vi.waitFor(() => expect(injection.held).toBe(1))
        controller.abort()
        await turn()
        expect([injection.held, ended.mock.calls.length]).toEqual([1, 0])
        await injection.rollback()
        expect(await reading).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' })
      }
    },
  )

  it.runIf(process.platform === 'linux')(
    'waits as with a pipe that nobody writes to, whose signal aborts',
    async () => {
      const pipe = join(temporaryFolder(), 'pipe')
      execFileSync('mkfifo', [pipe])
      const controller = new AbortController()
      const ended = vi.fn()
      const reading = rejection(fs.promises.readFile(pipe, { signal: controller.signal })).finally(ended)
      controller.abort()
      for (let count = 0; count < 10; count += 1) await turn()
      expect(ended).not.toHaveBeenCalled()
      // A writer that does not wait can open the pipe only when the reader has it open.
      const { O_WRONLY, O_NONBLOCK } = fs.constants
      await vi.waitFor(() => fs.closeSync(fs.openSync(pipe, O_WRONLY | O_NONBLOCK)))
      expect(await reading).toMatchObject({ code: 'ABORT_ERR' })
    },
  )

  it('blocks the thread for as long where the caller waits in place', async () => {
    const path = written()
    await withFault(delayFileOperations({ paths: path, delayMs: 30, operations: 'stat' }), fs, () => {
      const before = performance.now()
      expect(fs.statSync(path).size).toBe(7)
      expect(performance.now() - before).toBeGreaterThanOrEqual(29)
      return Promise.resolve()
    })
  })

  it('writes late and in order what a stream was given', async () => {
    const [path, clock] = [written(''), manualClock()]
    const injection = await inject(
      delayFileOperations({ paths: path, delayMs: 50, jitterMs: 40, operations: 'write' }),
      fs,
      { clock, seed: 3 },
    )
    const stream = fs.createWriteStream(path)
    for (const letter of 'abc') stream.write(letter)
    stream.end('d')
    await vi.waitFor(() => expect(injection.held).toBe(1))
    expect(fs.readFileSync(path, 'utf8')).toBe('')
    await injection.rollback()
    await once(stream, 'close')
    expect(fs.readFileSync(path, 'utf8')).toBe('abcd')
  })

  /** Every way to close a file whose number is known. */
  const opened: Readonly<
    Record<string, (path: string) => Promise<{ readonly descriptor: number; readonly close: () => Promise<unknown> }>>
  > = {
    'fs.closeSync': (path) => {
      const descriptor = fs.openSync(path, 'r+')
      return Promise.resolve({
        descriptor,
        close: () => {
          fs.closeSync(descriptor)
          return Promise.resolve()
        },
      })
    },
    'fs.close': (path) => {
      const descriptor = fs.openSync(path, 'r+')
      return Promise.resolve({ descriptor, close: () => promisify(fs.close)(descriptor) })
    },
    'the handle': async (path) => {
      const handle = await fsPromises.open(path, 'r+')
      return { descriptor: handle.fd, close: () => handle.close() }
    },
  }

  it.each(Object.entries(opened))(
    'never writes to a file that has got the number of one that was closed by %s meanwhile',
    async (_way, open) => {
      const [first, second] = [written('first'), written('second')]
      await withFault(
        delayFileOperations({ paths: [first, second], delayMs: 60_000, operations: ['read', 'write'] }),
        fs,
        async (injection) => {
          const { descriptor, close } = await open(first)
          const outcomes = [
            rejection(promisify(fs.write)(descriptor, 'late')),
            rejection(promisify(fs.read)(descriptor, Buffer.alloc(4), 0, 4, 0)),
          ]
          await close()
          const other = fs.openSync(second, 'r+')
          expect(other).toBe(descriptor)
          await injection.rollback()
          expect((await Promise.all(outcomes)).map(({ message }) => message)).toEqual([
            'EBADF: bad file descriptor, write',
            'EBADF: bad file descriptor, read',
          ])
          fs.closeSync(other)
        },
      )
      expect([first, second].map((path) => fs.readFileSync(path, 'utf8'))).toEqual(['first', 'second'])
    },
  )

  it('tells whoever has given its memory away meanwhile, where Node.js would end the process', async () => {
    const path = written()
    const handle = await fsPromises.open(path, 'r+')
    await withFault(
      delayFileOperations({ paths: path, delayMs: 60_000, operations: ['read', 'write'] }),
      fs,
      async (injection) => {
        const given = [1, 2, 3].map(() => new Uint8Array(8))
        const [read, write, many] = given as [Uint8Array, Uint8Array, Uint8Array]
        const outcomes = [
          rejection(handle.read(read)),
          rejection(handle.write(write)),
          rejection(handle.writev([many])),
        ]
        await vi.waitFor(() => expect(injection.held).toBe(3))
        structuredClone(given, { transfer: given.map(({ buffer }) => buffer) })
        await injection.rollback()
        for (const error of await Promise.all(outcomes)) expect(error).toMatchObject({ code: 'EFAULT' })
      },
    )
    await handle.close()
    expect(fs.readFileSync(path, 'utf8')).toBe('content')
  })
})

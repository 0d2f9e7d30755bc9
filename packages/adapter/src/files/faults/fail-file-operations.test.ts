import { inject, injectedBy, withFault } from '@chaos/core'
import { hasPrograms } from '@chaos/test-servers'
import { execFile } from 'node:child_process'
import fs, { readFile as named } from 'node:fs'
import fsPromises, { readFile as namedPromise } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { describeError } from '../../../test/describe-error.js'
import { fileWays, type Outcome } from '../../../test/file-ways.js'
import { rejection } from '../../../test/rejection.js'
import { temporaryFolder } from '../../../test/temporary-folder.js'
import type { FileOutagePreset } from '../outages.js'
import { failFileOperations } from './fail-file-operations.js'

/** The same file, used in every form: with an outage of the system, and with one of ours. */
async function injectedWays(
  error: FileOutagePreset,
  path: string,
  which: 'read' | 'write',
): Promise<Record<string, Outcome>> {
  return withFault(failFileOperations({ paths: path, error }), fs, () => fileWays(fs, path, which, describeError))
}

/** What comes of them in another process. */
async function waysIn(
  program: string,
  args: readonly string[],
  path: string,
  which: 'read' | 'write',
  before = '',
): Promise<Record<string, Outcome>> {
  const source = `${before}; (${fileWays.toString()})(require('node:fs'), ${JSON.stringify(path)}, '${which}', ${describeError.toString()}).then((outcomes) => process.stdout.write(JSON.stringify(outcomes)))`
  const { stdout } = await promisify(execFile)(program, [...args, process.execPath, '-e', source])
  return JSON.parse(stdout) as Record<string, Outcome>
}

describe.runIf(process.platform === 'linux')('failFileOperations, in every form beside the real outage', () => {
  it('fs/enospc, beside a device that is always full', async () => {
    const real = await fileWays(fs, '/dev/full', 'write', describeError)
    expect(await injectedWays('fs/enospc', join(temporaryFolder(), 'file'), 'write')).toEqual(real)
    expect(JSON.stringify(real)).toContain('ENOSPC')
  })

  it('fs/enoent, beside a file that is not there', async () => {
    const path = join(temporaryFolder(), 'file')
    const real = await fileWays(fs, path, 'read', describeError)
    fs.writeFileSync(path, 'content')
    expect(await injectedWays('fs/enoent', path, 'read')).toEqual(real)
    for (const outcome of Object.values(real)) expect(JSON.stringify(outcome)).toContain('ENOENT')
  })

  it('fs/eio, beside memory that is not mapped', async () => {
    const real = await fileWays(fs, '/proc/self/mem', 'read', describeError)
    const path = join(temporaryFolder(), 'file')
    fs.writeFileSync(path, 'content')
    const injected = await injectedWays('fs/eio', path, 'read')
    // Node.js 26 names the path.
    expect(JSON.parse(JSON.stringify(injected).replaceAll(path, '/proc/self/mem'))).toEqual(real)
    for (const outcome of Object.entries(real))
      expect(JSON.stringify(outcome)).toContain(outcome[0] === 'open' ? 'done' : 'EIO')
  })

  it('fs/emfile, beside a process that may open 40 files', async () => {
    const path = join(temporaryFolder(), 'file')
    fs.writeFileSync(path, 'content')
    const exhaust = "try { for (;;) require('node:fs').openSync('/dev/null') } catch {}"
    const real = await waysIn('sh', ['-c', 'ulimit -n 40; exec "$0" "$@"'], path, 'read', exhaust)
    expect(await injectedWays('fs/emfile', path, 'read')).toEqual(real)
    expect(JSON.stringify(real)).toContain(`EMFILE: too many open files, open '${path}'`)
  })

  it('fs/eacces, beside a file that nobody may read', async () => {
    const folder = temporaryFolder()
    fs.chmodSync(folder, 0o755)
    const path = join(folder, 'file')
    fs.writeFileSync(path, 'content', { mode: 0o000 })
    const real = await waysIn('env', [], path, 'read', 'if (process.getuid() === 0) process.setuid(65534)')
    expect(await injectedWays('fs/eacces', path, 'read')).toEqual(real)
    expect(JSON.stringify(real)).toContain('EACCES')
  })

  it.runIf(hasPrograms('unshare', 'mount'))(
    'fs/erofs, beside a read-only mount (skipped without `unshare` and `mount`)',
    async () => {
      const folder = temporaryFolder()
      const path = join(folder, 'file')
      const real = await waysIn(
        'unshare',
        ['-rm', 'sh', '-c', `mount -t tmpfs -o ro none ${folder}; exec "$0" "$@"`],
        path,
        'write',
      )
      expect(await injectedWays('fs/erofs', path, 'write')).toEqual(real)
      expect(JSON.stringify(real)).toContain('EROFS')
    },
  )
})

describe('failFileOperations', () => {
  const used = (): { readonly folder: string; readonly path: string } => {
    const folder = temporaryFolder()
    const path = join(folder, 'orders.json')
    fs.writeFileSync(path, '["first"]')
    return { folder, path }
  }

  it('fails what has two paths, and what asks whether a file is there, as the system does', async () => {
    const { folder, path } = used()
    const missing = join(folder, 'missing')
    const ways = (from: string): readonly unknown[] => {
      const told = (use: () => unknown): unknown => {
        try {
          return use()
        } catch (error) {
          return describeError(error as Error)
        }
      }
      return [
        told(() => fs.renameSync(from, path)),
        told(() => fs.copyFileSync(from, path)),
        told(() => fs.linkSync(from, `${path}2`)),
        told(() => fs.existsSync(from)),
        told(() => fs.accessSync(from)),
        told(() => fs.statSync(from)),
        told(() => fs.statSync(from, { throwIfNoEntry: false })),
        told(() => fs.lstatSync(from, { throwIfNoEntry: false })),
        told(() => fs.readdirSync(from)),
        told(() => fs.readlinkSync(from)),
        told(() => fs.unlinkSync(from)),
        told(() => fs.rmdirSync(from)),
        told(() => fs.chmodSync(from, 0o600)),
        told(() => fs.utimesSync(from, 1, 1)),
        told(() => fs.realpathSync(from)),
      ]
    }
    const real = ways(missing)
    fs.writeFileSync(missing, 'there after all')
    expect(
      await withFault(failFileOperations({ paths: missing, error: 'fs/enoent' }), fs, () => ways(missing)),
    ).toEqual(real)
  })

  it('empties the file that it does not write to then, as a full disk does', async () => {
    const { path } = used()
    await withFault(failFileOperations({ paths: path }), fs, () =>
      rejection(fsPromises.writeFile(path, 'new', { flush: true } as object)),
    )
    expect(fs.readFileSync(path, 'utf8')).toBe('')
  })

  it('acts on what was opened before, and on named imports', async () => {
    const { path } = used()
    const handle = await fsPromises.open(path, 'r+')
    await withFault(failFileOperations({ paths: path, error: 'fs/eio' }), fsPromises, async () => {
      const error = await rejection(handle.write('lost'))
      expect(injectedBy(error)).toBe('adapter/fail-file-operations')
      expect(await rejection(namedPromise(path))).toMatchObject({ code: 'EIO', syscall: 'read' })
      expect(await rejection(promisify(named)(path))).toMatchObject({ code: 'EIO', syscall: 'read' })
    })
    await handle.write('kept')
    await handle.close()
    expect(fs.readFileSync(path, 'utf8')).toBe('keptrst"]')
  })

  it('affects the paths and operations that it is told, and counts no others', async () => {
    const { folder, path } = used()
    const other = join(folder, 'other.json')
    const injection = await inject(
      failFileOperations({ paths: [`${folder}/ord*`, 'relative/*'], operations: ['f*sync', 'open'], error: 'fs/eio' }),
      fs,
    )
    fs.writeFileSync(other, 'x')
    expect(fs.statSync(path).size).toBe(9)
    expect([injection.seen, injection.affected]).toEqual([0, 0])
    expect(() => fs.openSync(path, 'r')).toThrow(`EIO: i/o error, open '${path}'`)
    expect(() => fs.mkdirSync('relative')).not.toThrow()
    expect(() => fs.writeFileSync('relative/file', 'x')).toThrow("EIO: i/o error, open 'relative/file'")
    await injection.rollback()
    fs.rmdirSync('relative')
    expect([injection.seen, injection.affected]).toEqual([2, 2])
  })

  it('knows files behind links, by path and by descriptor', async () => {
    const { folder, path } = used()
    const link = join(temporaryFolder(), 'link')
    fs.symlinkSync(folder, link)
    const linked = join(link, 'orders.json')
    for (const paths of [`${link}/*`, linked]) {
      await withFault(failFileOperations({ paths }), fs, async () => {
        expect(await rejection(fsPromises.appendFile(linked, 'x'))).toMatchObject({ code: 'ENOSPC' })
        expect(() => fs.appendFileSync(linked, 'x')).toThrow('ENOSPC')
      })
    }
    const unborn = join(link, 'unborn')
    await withFault(failFileOperations({ paths: unborn }), fs, async () =>
      expect(await rejection(fsPromises.appendFile(unborn, 'x'))).toMatchObject({ code: 'ENOSPC' }),
    )
    expect(fs.readFileSync(path, 'utf8')).toBe('["first"]')
  })

  it('fails the n-th write of a file by its name', async () => {
    const { folder } = used()
    const log = join(folder, 'log')
    await withFault(
      failFileOperations({ paths: `${folder}/*` }),
      fs,
      { only: `write ${log}`, skip: 2, limitPerOperation: 1 },
      async () => {
        fs.appendFileSync(log, 'a')
        fs.appendFileSync(log, 'b')
        expect(() => fs.appendFileSync(log, 'c')).toThrow('ENOSPC')
        fs.appendFileSync(log, 'd')
        await fsPromises.writeFile(join(folder, 'another'), 'e')
      },
    )
    expect(fs.readFileSync(log, 'utf8')).toBe('abd')
  })

  it('leaves the process able to load code, though it is in force for everything', async () => {
    const { folder } = used()
    fs.mkdirSync(join(folder, 'node_modules/package'), { recursive: true })
    const files = ['asked.cjs', 'asked.mjs', 'asked.json', 'node_modules/package/index.js'].map((name) =>
      join(folder, name),
    )
    fs.writeFileSync(
      files[0] as string,
      "exports.read = () => require('node:fs').readFileSync(__filename, 'utf8'); exports.data = require('./asked.json'); exports.inner = require('package'); exports.load = (url) => import(url)",
    )
    fs.writeFileSync(files[1] as string, 'export default 1')
    fs.writeFileSync(files[2] as string, '{"a":1}')
    fs.writeFileSync(files[3] as string, "module.exports = require('node:fs').readFileSync(__filename, 'utf8').length")
    await withFault(failFileOperations({ paths: '*', error: 'fs/emfile' }), fs, async () => {
      const loaded = createRequire(files[0] as string)(files[0] as string) as {
        readonly read: () => string
        readonly data: unknown
        readonly inner: number
        readonly load: (url: string) => Promise<unknown>
      }
      expect([loaded.data, loaded.inner]).toEqual([{ a: 1 }, fs.readFileSync(files[3] as string, 'utf8').length])
      expect(() => loaded.read()).toThrow('EMFILE')
      expect(await loaded.load(pathToFileURL(files[1] as string).href)).toMatchObject({ default: 1 })
      expect(() => fs.readFileSync(files[2] as string)).toThrow('EMFILE')
    })
  })

  it.each(['fs/enospc', 'fs/erofs', 'fs/eacces'] as const)(
    'says under %s that a folder exists, as the system does, and makes no other',
    async (error) => {
      const folder = temporaryFolder()
      await withFault(failFileOperations({ paths: `${folder}*`, error }), fs, async (injection) => {
        fs.mkdirSync(folder, { recursive: true })
        expect(await fsPromises.mkdir(folder, { recursive: true })).toBeUndefined()
        expect(() => fs.mkdirSync(folder)).toThrow('EEXIST')
        expect(injection.seen).toBe(0)
        const code = error.slice(3).toUpperCase()
        expect(() => fs.mkdirSync(join(folder, 'new'))).toThrow(code)
        expect(() => fs.mkdtempSync(join(folder, 'new-'))).toThrow(
          expect.objectContaining({ code, path: join(folder, 'new-XXXXXX') }),
        )
      })
    },
  )

  it('tells of rights that are missing, and not that a file is missing', async () => {
    const { path } = used()
    const { R_OK, W_OK } = fs.constants
    const denied = (...modes: number[]): Promise<readonly unknown[]> =>
      Promise.all(
        modes.map((mode) =>
          fsPromises.access(path, mode).then(
            () => 'granted',
            (error: unknown) => (error as NodeJS.ErrnoException).code,
          ),
        ),
      )
    await withFault(failFileOperations({ paths: path, error: 'fs/eacces' }), fs, async () => {
      expect(fs.existsSync(path)).toBe(true)
      expect(await denied(0, R_OK, W_OK)).toEqual(['granted', 'EACCES', 'EACCES'])
    })
    await withFault(failFileOperations({ paths: path, error: 'fs/erofs' }), fs, async () => {
      expect(fs.existsSync(path)).toBe(true)
      expect(await denied(0, R_OK, W_OK)).toEqual(['granted', 'granted', 'EROFS'])
    })
  })

  it('gives an error that comes later the stack of a real one', async () => {
    const { path } = used()
    const missing = `${path}2`
    const stacks = async (file: string): Promise<readonly unknown[]> => {
      const errors = [promisify(fs.readFile)(file), promisify(fs.stat)(file), fsPromises.stat(file)].map(rejection)
      // What runs timers and promises, if several timers end at once, is no part of the call. The frames after the
      // second line are those of the callers.
      return (await Promise.all(errors)).map(({ stack }) =>
        (stack?.replaceAll(missing, path).split('\n') ?? [])
          .filter((line) => !/node:internal\/(process\/task_queues|timers):/.test(line))
          .slice(0, 2),
      )
    }
    const real = await stacks(missing)
    expect(await withFault(failFileOperations({ paths: path, error: 'fs/enoent' }), fs, () => stacks(path))).toEqual(
      real,
    )
  })

  it('calls no spy or stub of the application for itself', async () => {
    const { folder } = used()
    const stubs = (['readFile', 'existsSync', 'readlinkSync', 'realpathSync'] as const).map((key) =>
      vi.spyOn(fs, key).mockImplementation(() => {
        throw new Error('a stub was asked')
      }),
    )
    onTestFinished(() => stubs.forEach((stub) => stub.mockRestore()))
    const descriptor = fs.openSync(join(folder, 'orders.json'), 'r+')
    await withFault(failFileOperations({ paths: `${folder}/*` }), fs, () => {
      expect(() => fs.writeSync(descriptor, 'x')).toThrow('ENOSPC')
      expect(() => fs.mkdirSync(join(folder, 'new'))).toThrow('ENOSPC')
      return Promise.resolve()
    })
    fs.closeSync(descriptor)
    for (const stub of stubs) expect(stub).not.toHaveBeenCalled()
  })

  it('asks beneath an instrumentation that was loaded before it', async () => {
    const path = join(temporaryFolder(), 'orders.json')
    fs.writeFileSync(path, '[]')
    const spans: string[] = []
    for (const key of ['readFile', 'existsSync', 'readlinkSync', 'realpathSync'] as const) {
      const original = fs[key]
      const wrapper = Object.assign(
        (...args: never[]): unknown => {
          spans.push(key)
          return (original as (...args: never[]) => unknown)(...args)
        },
        { __original: original },
      )
      Reflect.set(fs, key, wrapper)
      onTestFinished(() => void Reflect.set(fs, key, original))
    }
    vi.resetModules()
    const loadedAfter = await import('./fail-file-operations.js')
    await withFault(loadedAfter.failFileOperations({ paths: path, error: 'fs/eacces' }), fs, () => {
      expect(() => fs.openSync(path, 'r')).toThrow('EACCES')
    })
    await withFault(
      loadedAfter.failFileOperations({ paths: path, operations: 'read', error: 'fs/eio' }),
      fs,
      (fault) => {
        const descriptor = fs.openSync(path, 'r')
        expect(() => fs.readSync(descriptor, Buffer.alloc(1))).toThrow('EIO')
        fs.closeSync(descriptor)
        expect(fault.affected).toBe(1)
      },
    )
    expect(spans).toEqual([])
  })

  it('refuses what it does not know', () => {
    expect(() => failFileOperations({ paths: '*', operations: 'opne' })).toThrow('Did you mean "open"?')
    expect(() => Reflect.apply(failFileOperations, undefined, [{}]) as unknown).toThrow(
      'Expected `paths` of adapter/fail-file-operations',
    )
  })
})

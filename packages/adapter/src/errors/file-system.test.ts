import { execFile } from 'node:child_process'
import { chmod, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, it, onTestFinished } from 'vitest'
import { hasPrograms } from '@chaos/test-servers'
import { describeError, type ErrorDescription } from '../../test/describe-error.js'
import { expectFidelity } from '../../test/fidelity.js'
import { rejection } from '../../test/rejection.js'
import { fileSystemErrors } from './file-system.js'

const beside = `Linux, Node.js ${process.versions.node.split('.')[0] ?? ''}`
const at = { host: '127.0.0.1', port: 80 }
const report = `const report = (error) => process.stdout.write(JSON.stringify((${describeError.toString()})(error)));`

async function realError(program: string, args: readonly string[]): Promise<ErrorDescription> {
  const { stdout } = await promisify(execFile)(program, args)
  return JSON.parse(stdout) as ErrorDescription
}

describe.runIf(process.platform === 'linux')('errors of the file system, beside real ones', () => {
  it('fs/enospc, from a device that is always full', async () => {
    expectFidelity({
      preset: 'fs/enospc',
      beside,
      real: await rejection(writeFile('/dev/full', 'x')),
      injected: fileSystemErrors['fs/enospc'](),
    })
  })

  it('fs/eio, from memory that is not mapped', async () => {
    const memory = await open('/proc/self/mem')
    onTestFinished(() => memory.close())
    expectFidelity({
      preset: 'fs/eio',
      beside,
      real: await rejection(memory.read(Buffer.alloc(1), 0, 1, 0)),
      injected: fileSystemErrors['fs/eio'](),
    })
  })

  it('fs/emfile, from a process that may open 40 files', async () => {
    const source = `${report} const fs = require('node:fs'); try { for (;;) fs.openSync('/dev/null') } catch {} fs.promises.readFile('/etc/hostname').catch(report)`
    const real = await realError('sh', ['-c', 'ulimit -n 40; exec "$0" -e "$1"', process.execPath, source])
    expectFidelity({
      preset: 'fs/emfile',
      beside,
      real,
      injected: fileSystemErrors['fs/emfile']({ ...at, args: ['/etc/hostname'] }),
    })
  })

  it('fs/enoent, from a file that is not there', async () => {
    const path = `/tmp/chaos-adapter-${process.pid}/missing`
    expectFidelity({
      preset: 'fs/enoent',
      beside,
      real: await rejection(readFile(path)),
      injected: fileSystemErrors['fs/enoent']({ ...at, args: [path] }),
    })
  })

  it('fs/eacces, from a file that nobody may read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chaos-adapter-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await chmod(folder, 0o755)
    const path = join(folder, 'file')
    await writeFile(path, 'content', { mode: 0o000 })
    const source = `${report} if (process.getuid() === 0) process.setuid(65534); require('node:fs').promises.readFile('${path}').catch(report)`
    expectFidelity({
      preset: 'fs/eacces',
      beside,
      real: await realError(process.execPath, ['-e', source]),
      injected: fileSystemErrors['fs/eacces']({ ...at, args: [path] }),
    })
  })

  it.runIf(hasPrograms('unshare', 'mount'))(
    'fs/erofs, from a read-only mount (skipped without `unshare` and `mount`)',
    async () => {
      // A folder of its own: what is mounted over hides what lies beneath, which may be Node.js itself.
      const folder = await mkdtemp(join(tmpdir(), 'chaos-erofs-'))
      onTestFinished(() => rm(folder, { recursive: true }))
      const source = `${report} require('node:fs').promises.writeFile('${folder}/file', 'x').catch(report)`
      const real = await realError('unshare', [
        '-rm',
        'sh',
        '-c',
        `mount -t tmpfs -o ro none ${folder}; exec "$0" -e "$1"`,
        process.execPath,
        source,
      ])
      expectFidelity({
        preset: 'fs/erofs',
        beside,
        real,
        injected: fileSystemErrors['fs/erofs']({ ...at, args: [`${folder}/file`] }),
      })
    },
  )
})

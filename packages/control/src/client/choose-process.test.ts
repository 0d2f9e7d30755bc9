import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { chooseProcess } from './choose-process.js'

const local = (pid: number, name: string) => ({ pid, name, socketPath: `/run/${pid}.sock`, startedAt: 0, targets: [] })
const found =
  (...processes: ReturnType<typeof local>[]) =>
  () =>
    Promise.resolve(processes)

describe('chooseProcess', () => {
  it('takes the only local process, or the one that is named', async () => {
    expect(await chooseProcess({}, {}, found(local(1, 'app')))).toEqual({ socketPath: '/run/1.sock' })
    expect(await chooseProcess({ pid: '2' }, {}, found(local(1, 'app'), local(2, 'app')))).toEqual({
      socketPath: '/run/2.sock',
    })
    expect(await chooseProcess({ name: 'b' }, {}, found(local(1, 'a'), local(2, 'b')))).toEqual({
      socketPath: '/run/2.sock',
    })
    expect(await chooseProcess({ socket: '/x.sock' }, {}, found())).toEqual({ socketPath: '/x.sock' })
  })

  it('takes an address with its token from the environment, unless a local process is named', async () => {
    const env = { CHAOS_URL: 'http://127.0.0.1:1/chaos', CHAOS_TOKEN: 't' }
    expect(await chooseProcess({}, env, found())).toEqual({ url: env.CHAOS_URL, token: 't' })
    expect(await chooseProcess({ name: 'a' }, env, found(local(1, 'a')))).toEqual({ socketPath: '/run/1.sock' })
    await expect(chooseProcess({ url: 'http://x' }, {}, found())).rejects.toMatchObject({ code: 'CHAOS_UNAUTHORIZED' })
  })

  it.each([
    { url: 'http://x', pid: '1' },
    { url: 'http://x', socket: '/x.sock' },
    { socket: '/x.sock', name: 'a' },
  ])('refuses to choose between two ways to name a process: %j', async (flags) => {
    await expect(chooseProcess(flags, { CHAOS_TOKEN: 't' }, found(local(1, 'a')))).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
      message: expect.stringMatching(/^Several options select the process: --/) as string,
    })
  })

  it('says which file with a token cannot be read, and why', async () => {
    const choosing = chooseProcess({ url: 'http://x', tokenFile: '/no/such/token' }, {}, found())
    await expect(choosing).rejects.toMatchObject({
      code: 'CHAOS_UNAUTHORIZED',
      message: '`--token-file /no/such/token` cannot be read: ENOENT.',
    })
  })

  it.skipIf(process.platform === 'win32')(
    'reads no more of a file than a token has, and does not wait for a pipe without a writer',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'chaos-token-'))
      onTestFinished(() => rm(folder, { recursive: true }))
      const [file, pipe] = [join(folder, 'token'), join(folder, 'pipe')]
      await writeFile(file, 'secret\n')
      execFileSync('mkfifo', [pipe])
      const choosing = (tokenFile: string): Promise<unknown> =>
        chooseProcess({ url: 'http://x', tokenFile }, {}, found())
      expect(await choosing(file)).toEqual({ url: 'http://x', token: 'secret' })
      await expect(choosing('/dev/zero')).rejects.toMatchObject({
        code: 'CHAOS_UNAUTHORIZED',
        message: expect.stringContaining('more than 4096 bytes') as string,
      })
      await expect(choosing(pipe)).rejects.toMatchObject({
        code: 'CHAOS_UNAUTHORIZED',
        message: 'The token for http://x is missing.',
      })
    },
  )

  it.each([
    ['none', found(), {}, 'CHAOS_NO_PROCESS', 'No running process has an open control endpoint.'],
    ['several', found(local(1, 'a'), local(2, 'b')), {}, 'CHAOS_SEVERAL_PROCESSES', '2  b'],
    ['none that fits', found(local(1, 'a')), { name: 'b' }, 'CHAOS_NO_PROCESS', '1  a'],
  ])('refuses %s', async (_title, discover, flags, code, words) => {
    const choosing = chooseProcess(flags, {}, discover)
    await expect(choosing).rejects.toMatchObject({ code })
    await expect(choosing).rejects.toThrow(words)
  })
})

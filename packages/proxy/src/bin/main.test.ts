import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { main } from './main.js'

beforeEach(() => {
  vi.stubEnv('NODE_ENV', 'test')
  vi.stubEnv('CHAOS_DISABLED', '')
  return () => void vi.unstubAllEnvs()
})

/** Begins the command within this process. */
function begin(...argv: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []]
  const abort = new AbortController()
  const code = main(argv, { out: (line) => out.push(line), err: (line) => err.push(line), signal: abort.signal })
  const url = (): Promise<string> =>
    vi.waitFor(() => {
      const [, found] = /listens on (\S+) /.exec(out.join('\n')) ?? []
      if (found === undefined) throw new Error(`Not ready: ${err.join('\n')}`)
      return found
    })
  return { out, err, code, url, stop: () => abort.abort() }
}

const read = (url: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve(Buffer.concat(chunks).toString()))
    }).on('error', reject)
  })

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-proxy-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'config.json')
  writeFileSync(file, text)
  return file
}

it.each([['-'], ['--']])(
  'serves the proxies of a config file until it is interrupted, with options after %s',
  async (dash) => {
    const proxies = [{ name: 'redis', upstream: '127.0.0.1:1', toxics: [{ type: 'latency' }] }]
    const config = fileWith(JSON.stringify(proxies))
    const { url, stop, code, out, err } = begin(
      ...[`${dash}host`, 'localhost', `${dash}port=0`, `${dash}config`, config, `${dash}seed`, 'seed 7'],
      ...[`${dash}proxy-metrics=true`, `${dash}runtime-metrics`, `${dash}max-lease`, '10m', `${dash}max-toxics`, '5'],
    )
    const at = await url()
    expect(JSON.parse((await read(`${at}/proxies`)) as string)).toMatchObject({
      redis: { upstream: '127.0.0.1:1', enabled: true, toxics: [{ name: 'latency_downstream', leaseMs: 600_000 }] },
    })
    const metrics = await read(`${at}/metrics`)
    expect(metrics).toContain('toxiproxy_proxy_sent_bytes_total{direction="upstream"')
    expect(metrics).toContain('process_resident_memory_bytes ')
    stop()
    expect(await code).toBe(0)
    expect(out.join('\n')).toMatch(
      /^Toxiproxy's API listens on http:\/\/127\.0\.0\.1:\d+ \(seed seed 7\).*\nStopped\.$/,
    )
    expect(err).toEqual([])
    await expect(read(`${at}/proxies`)).rejects.toThrow(/ECONNREFUSED/)
  },
)

it.each([
  ['0', ['-seed=0']],
  ['false', ['--seed=false']],
  ['-5', ['-seed', '-5']],
])('takes the seed %s of %j', async (seed, argv) => {
  const { url, stop, code, out } = begin('-port=0', ...argv, '-proxy-metrics=F', '--runtime-metrics=T')
  const at = await url()
  expect(at).not.toMatch(/:8474$/)
  const metrics = await read(`${at}/metrics`)
  expect(metrics).toContain('process_resident_memory_bytes ')
  expect(metrics).not.toContain('toxiproxy_proxy')
  stop()
  expect(await code).toBe(0)
  expect(out.join('\n')).toContain(`(seed ${seed})`)
})

it('reads a config file that is a pipe', async () => {
  const pipe = `${fileWith('')}.pipe`
  execFileSync('mkfifo', [pipe])
  const { url, stop, code } = begin('--port', '0', '--config', pipe)
  await writeFile(pipe, '[{ "name": "piped", "upstream": "127.0.0.1:1" }]')
  expect(await read(`${await url()}/proxies`)).toContain('"piped"')
  stop()
  expect(await code).toBe(0)
})

it('goes on when its output is closed', async () => {
  const bin = fileURLToPath(new URL('../../dist/bin.js', import.meta.url))
  const child = spawn(process.execPath, [bin, '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await closed
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  child.stdout.destroy()
  child.kill('SIGTERM')
  expect([String(line), await closed]).toEqual([expect.stringContaining('listens on http://127.0.0.1:'), [0, null]])
})

it('warns if others can reach it', async () => {
  const { url, stop, code, err } = begin('--host', '0.0.0.0', '--port', '0')
  await url()
  stop()
  expect(await code).toBe(0)
  expect(err.join('\n')).toMatch(/^warning: The API listens on 0\.0\.0\.0 and has no password/)
})

it('prints help and version', async () => {
  for (const flag of ['-h', '-help', '--help']) {
    const { code, out } = begin(flag)
    expect(await code).toBe(0)
    // The name of the program that this package installs: `chaos proxy` needs another package.
    expect(out[0]).toMatch(/^Usage: chaos-proxy /)
    for (const option of [
      'host',
      'port',
      'config',
      'seed',
      'max-lease',
      'max-toxics',
      'proxy-metrics',
      'runtime-metrics',
    ])
      expect(out.join('\n')).toContain(`--${option}`)
  }
  const { code, out } = begin('-version')
  expect([await code, ...out]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+/)])
})

it.each([
  [['--prot', '1'], 2, /Unknown option "--prot"\. Did you mean "--port"\?/],
  [['--prot=false'], 2, /--prot/],
  [['--proxy-metrics=maybe'], 2, /`--proxy-metrics` to be alone, `true` or `false`, got `maybe`/],
  [['--port'], 2, /a value after `--port`, got none/],
  [['--max-lease=0'], 2, /`--max-lease` to be a time such as `30s`, .* got `0`/],
  [['--port', '65536'], 2, /`--port` to be a number from 0 to 65535, got `65536`/],
  [['--max-toxics', 'many'], 2, /`--max-toxics` to be a whole number, got `many`/],
  [['--max-lease', '10'], 2, /`--max-lease` to be a time such as `30s`/],
  [['more'], 2, /more/],
  [['--config', '/none/at.json'], 2, /Cannot use the config file \/none\/at\.json: ENOENT/],
  [['--config', 'text:{}'], 2, /Expected a JSON list of proxies/],
])('refuses %j', async (argv, expected, message) => {
  const given = argv.map((argument) => (argument.startsWith('text:') ? fileWith(argument.slice(5)) : argument))
  const { code, err } = begin(...given)
  expect(await code).toBe(expected)
  expect(err.join('\n')).toMatch(message)
})

it('names the proxy of a config file that is invalid, and stops', async () => {
  const { code, err } = begin('--port', '0', '--config', fileWith('[{ "name": "a", "upstream": "" }]'))
  expect(await code).toBe(2)
  expect(err.join('\n')).toMatch(/Cannot use the config file .*: missing required field: upstream at proxy 1/)
})

it('is refused in production', async () => {
  vi.stubEnv('NODE_ENV', 'production')
  const { code, err } = begin('--port', '0')
  expect(await code).toBe(4)
  expect(err.join('\n')).toMatch(/CHAOS_ENVIRONMENT_REFUSED/)
})

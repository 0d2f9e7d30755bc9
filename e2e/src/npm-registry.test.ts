import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { startNpmRegistry, type NpmRegistry } from './npm-registry.js'

let registry: NpmRegistry

beforeEach(async () => {
  const started = await startNpmRegistry()
  onTestFinished(started.stop)
  registry = started
})

const TARBALL = Buffer.from('what a client packed')

/** What a client sends to publish a version. */
function publication(name: string, version: string, tarball = TARBALL, packed = tarball): object {
  const hash = (algorithm: string): Buffer => createHash(algorithm).update(packed).digest()
  const dist = { integrity: `sha512-${hash('sha512').toString('base64')}`, shasum: hash('sha1').toString('hex') }
  return {
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { name, version, description: 'A package.', dependencies: { other: '^1.0.0' }, dist } },
    _attachments: { [`${name}-${version}.tgz`]: { data: tarball.toString('base64') } },
  }
}
async function put(path: string, body: object | string, token = registry.token): Promise<Response> {
  return fetch(new URL(path, registry.url), {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}
const get = (path: string, accept = 'application/json'): Promise<Response> =>
  fetch(new URL(path, registry.url), { headers: { accept } })

describe('the npm registry of a test', () => {
  it('serves what was published, by the name as clients write it, with a tarball of the same bytes', async () => {
    expect((await put('@a%2fb', publication('@a/b', '1.0.0'))).status).toBe(201)
    expect((await put('@a%2Fb', publication('@a/b', '1.0.1'))).status).toBe(201)
    for (const path of ['@a%2fb', '@a%2Fb', '@a/b']) {
      const packument = (await (await get(path)).json()) as {
        versions: Record<string, { dist: { tarball: string }; description: string }>
        time: Record<string, string>
      }
      expect(packument).toMatchObject({ name: '@a/b', 'dist-tags': { latest: '1.0.1' } })
      expect(Object.keys(packument.versions)).toEqual(['1.0.0', '1.0.1'])
      expect(Object.keys(packument.time)).toEqual(['1.0.0', '1.0.1', 'modified'])
      const tarball = await get(packument.versions['1.0.0']?.dist.tarball ?? '')
      expect(Buffer.from(await tarball.arrayBuffer())).toEqual(TARBALL)
    }
    expect(registry.published()).toEqual(['@a/b@1.0.0', '@a/b@1.0.1'])
    expect(registry.tagsOf('@a/b')).toEqual({ latest: '1.0.1' })
  })

  it('serves installers the fields that resolving takes', async () => {
    await put('b', publication('b', '1.0.0'))
    const type = 'application/vnd.npm.install-v1+json'
    const answer = await get('b', `${type}; q=1.0, application/json; q=0.8`)
    expect(answer.headers.get('content-type')).toBe(type)
    const { versions } = (await answer.json()) as { versions: Record<string, object> }
    expect(Object.keys(versions['1.0.0'] ?? {})).toEqual(['name', 'version', 'dependencies', 'dist'])
  })

  it('serves one version by its number and by its tag', async () => {
    await put('@a%2fb', publication('@a/b', '1.0.0'))
    await put('@a%2fb', publication('@a/b', '1.0.1'))
    expect(await (await get('@a%2fb/latest')).json()).toMatchObject({ version: '1.0.1' })
    expect(await (await get('@a%2fb/1.0.0')).json()).toMatchObject({ version: '1.0.0' })
  })

  it('answers 404 to what was not published and to everything else', async () => {
    await put('@a%2fb', publication('@a/b', '1.0.0'))
    for (const path of ['', 'b', '@a', '@a%2fc', '@a%2fb/1.0.1', '@a/b/-/b-2.0.0.tgz', '@a/b/-/c-1.0.0.tgz', '-/ping'])
      expect((await get(path)).status, path).toBe(404)
    const removed = await fetch(new URL('@a%2fb', registry.url), { method: 'DELETE' })
    expect(removed.status).toBe(404)
  })

  it('publishes nothing without the token, over a version, or with a tarball other than the one that was packed', async () => {
    expect((await put('b', publication('b', '1.0.0'), 'guessed')).status).toBe(401)
    expect((await put('b', publication('b', '1.0.0', TARBALL, Buffer.from('another')))).status).toBe(400)
    expect((await put('c', publication('b', '1.0.0'))).status).toBe(400)
    for (const body of ['', 'null', '{}', '{"versions":{},"_attachments":{}}'])
      expect((await put('b', body)).status, body).toBe(400)
    expect(registry.published()).toEqual([])
    expect((await put('b', publication('b', '1.0.0'))).status).toBe(201)
    const again = await put('b', publication('b', '1.0.0'))
    expect([again.status, await again.text()]).toEqual([403, expect.stringContaining('previously published')])
  })

  it('reads no more of a body than a package can take', async () => {
    // The server may close the connection while the client still sends.
    const status = await put('b', 'x'.repeat(5 * 1_024 * 1_024)).then(
      (answer) => answer.status,
      () => 'closed',
    )
    expect([413, 'closed']).toContain(status)
    expect((await put('b', publication('b', '1.0.0'))).status).toBe(201)
  })
})

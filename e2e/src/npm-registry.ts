import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Manifest } from './repository.js'

/** An npm registry of one test, on a free port of loopback. It has what was published to it, and asks no other registry. */
export interface NpmRegistry {
  /** Its address, which ends in a slash. */
  readonly url: string
  /** The token that publishing takes. */
  readonly token: string
  /** What clients asked for, in order: the method and the decoded path. */
  readonly requests: readonly string[]
  /** Tags of a package, each with its version; none if it was never published. */
  readonly tagsOf: (name: string) => Readonly<Record<string, string>>
  /** Every published version, as `name@version`, sorted. */
  readonly published: () => readonly string[]
  /** @throws Error when this version was not published. */
  readonly tarballOf: (name: string, version: string) => Buffer
  readonly stop: () => Promise<void>
}

/** A manifest as a client publishes it, and as it is served. */
interface PublishedManifest extends Manifest {
  readonly dist: { readonly integrity: string; readonly shasum: string; readonly tarball: string }
}

/** What a client sends to publish one version. */
interface Publication {
  readonly name: string
  readonly 'dist-tags': Readonly<Record<string, string>>
  readonly versions: Readonly<Record<string, PublishedManifest>>
  readonly _attachments: Readonly<Record<string, { readonly data: string }>>
}

interface StoredVersion {
  readonly manifest: PublishedManifest
  readonly tarball: Buffer
  /** When it was published. */
  readonly at: string
}

interface Stored {
  readonly tags: Record<string, string>
  readonly versions: Map<string, StoredVersion>
}

/** An answer that is not what the client asked for. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

/** Ten times the largest package of this repository. */
const MAX_BODY_BYTES = 4 * 1_024 * 1_024

/** What installers ask for: the fields of a manifest that resolving takes. */
const ABBREVIATED = 'application/vnd.npm.install-v1+json'
const ABBREVIATED_FIELDS = [
  'name',
  'version',
  'dependencies',
  'optionalDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'bin',
  'engines',
  'dist',
] as const

/** `/@scope/name`, where clients write `%2f` for the second slash; a version or tag of it; `/@scope/name/-/name-1.0.0.tgz`. */
const PATH = /^\/(?<name>(?:@[^/]+\/)?[^/@-][^/]*)(?:\/(?<version>[^/-][^/]*)|\/-\/(?<file>[^/]+\.tgz))?$/

/** Starts a registry that answers what npm, pnpm and yarn send to publish and to install, and 404 to everything else. */
export async function startNpmRegistry(): Promise<NpmRegistry> {
  const token = randomBytes(16).toString('hex')
  const requests: string[] = []
  const stored = new Map<string, Stored>()

  /** @throws Refusal unless it is one version with its tarball, new and unharmed. */
  function publish(name: string, publication: Publication): void {
    const [version, ...moreVersions] = Object.keys(publication.versions)
    const [attachment, ...moreAttachments] = Object.values(publication._attachments)
    if (version === undefined || attachment === undefined || moreVersions.length > 0 || moreAttachments.length > 0)
      throw new Refusal(400, 'Expected one version and one tarball.')
    const manifest = publication.versions[version]
    if (publication.name !== name || manifest?.name !== name || manifest.version !== version)
      throw new Refusal(400, `Expected a manifest of ${name}@${version}.`)
    const tarball = Buffer.from(attachment.data, 'base64')
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
    const shasum = createHash('sha1').update(tarball).digest('hex')
    if (manifest.dist.integrity !== integrity || manifest.dist.shasum !== shasum)
      throw new Refusal(400, `The tarball of ${name}@${version} does not match its integrity.`)
    const entry = stored.get(name) ?? { tags: {}, versions: new Map() }
    if (entry.versions.has(version))
      throw new Refusal(403, `You cannot publish over the previously published versions: ${version}.`)
    const dist = { integrity, shasum, tarball: `${url}${name}/-/${fileOf(name, version)}` }
    entry.versions.set(version, { manifest: { ...manifest, dist }, tarball, at: new Date().toISOString() })
    Object.assign(entry.tags, publication['dist-tags'])
    stored.set(name, entry)
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(request.url ?? '/')
    requests.push(`${request.method ?? ''} ${path}`)
    const { name, version, file } = PATH.exec(path)?.groups ?? {}
    if (name === undefined) throw new Refusal(404, 'Not found.')
    if (request.method === 'PUT' && file === undefined && version === undefined) {
      if (request.headers.authorization !== `Bearer ${token}`) throw new Refusal(401, 'Publishing takes the token.')
      publish(name, publicationOf(await bodyOf(request)))
      send(response, 201, { success: true })
      return
    }
    const entry = stored.get(name)
    if (request.method !== 'GET' || entry === undefined) throw new Refusal(404, 'Not found.')
    if (version !== undefined) {
      send(response, 200, versionOf(entry, version).manifest)
    } else if (file !== undefined) {
      const ofFile = [...entry.versions.keys()].find((one) => file === fileOf(name, one))
      send(response, 200, versionOf(entry, ofFile).tarball, 'application/octet-stream')
    } else {
      const isAbbreviated = request.headers.accept?.includes(ABBREVIATED) === true
      send(response, 200, packument(name, entry, isAbbreviated), isAbbreviated ? ABBREVIATED : 'application/json')
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const [status, message] = error instanceof Refusal ? [error.status, error.message] : [400, String(error)]
      // The rest of a body that is too long is not read.
      if (status === 413) response.setHeader('connection', 'close')
      send(response, status, { error: message })
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`

  return {
    url,
    token,
    requests,
    tagsOf: (name) => stored.get(name)?.tags ?? {},
    published: () =>
      [...stored].flatMap(([name, { versions }]) => [...versions.keys()].map((version) => `${name}@${version}`)).sort(),
    tarballOf(name, version) {
      const found = stored.get(name)?.versions.get(version)
      if (found === undefined) throw new Error(`Expected ${name}@${version} to be published.`)
      return found.tarball
    },
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** The file of a version's tarball: the scope is not part of its name. */
function fileOf(name: string, version: string): string {
  return `${name.slice(name.indexOf('/') + 1)}-${version}.tgz`
}

/** @throws Refusal when there is no such version or tag. */
function versionOf({ tags, versions }: Stored, versionOrTag = ''): StoredVersion {
  const found = versions.get(tags[versionOrTag] ?? versionOrTag)
  if (found === undefined) throw new Refusal(404, 'Not found.')
  return found
}

/** What a registry knows of a package. The full form also says when each version was published. */
function packument(name: string, { tags, versions }: Stored, isAbbreviated: boolean): object {
  const published = [...versions]
  const times = published.map(([version, { at }]) => [version, at] as const)
  const modified = times.at(-1)?.[1]
  const manifests = Object.fromEntries(
    published.map(([version, { manifest }]) => [version, isAbbreviated ? abbreviated(manifest) : manifest]),
  )
  const shared = { name, 'dist-tags': tags, versions: manifests }
  return isAbbreviated
    ? { ...shared, modified }
    : { _id: name, ...shared, time: { ...Object.fromEntries(times), modified } }
}

function abbreviated(manifest: PublishedManifest): object {
  const fields = manifest as unknown as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    ABBREVIATED_FIELDS.filter((field) => fields[field] !== undefined).map((field) => [field, fields[field]]),
  )
}

/** @throws Refusal when the body is longer than any package of this repository. */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new Refusal(413, `Expected at most ${MAX_BODY_BYTES} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** @throws Refusal when the body is not what a client sends to publish. */
function publicationOf(body: Buffer): Publication {
  const parsed = JSON.parse(body.toString('utf8')) as Partial<Publication> | null
  if (typeof parsed?.versions !== 'object' || typeof parsed._attachments !== 'object')
    throw new Refusal(400, 'Expected `versions` and `_attachments`.')
  return parsed as Publication
}

/** No client keeps an answer: the next test's registry may listen on the same port. */
function send(response: ServerResponse, status: number, body: object | Buffer, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
  response.end(Buffer.isBuffer(body) ? body : JSON.stringify(body))
}

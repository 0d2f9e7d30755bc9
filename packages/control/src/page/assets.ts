import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** A file of the page. */
export interface Asset {
  readonly type: string
  readonly etag: string
  readonly content: Buffer
}

/** The files of the page, by their path below the base. They hold no secret. */
const TYPES: Readonly<Record<string, string>> = {
  '/page.js': 'text/javascript; charset=utf-8',
  '/page.css': 'text/css; charset=utf-8',
}

export const isAsset = (path: string): boolean => Object.hasOwn(TYPES, path)

/** Where the build puts them: beside this module in the package, and seen from the sources. */
const FOLDERS = ['./page', '../../dist/page'].map((folder) => new URL(folder, import.meta.url))

/** Reads the files of the page once, when a browser first asks for them. */
export function createAssets(): (path: string) => Promise<Asset | undefined> {
  const read = new Map<string, Promise<Asset | undefined>>()
  return (path) => {
    const found = read.get(path) ?? load(path)
    read.set(path, found)
    return found
  }
}

async function load(path: string): Promise<Asset | undefined> {
  const type = TYPES[path]
  if (type === undefined) return undefined
  for (const folder of FOLDERS) {
    const content = await readFile(new URL(`${folder.href}${path}`)).catch(() => undefined)
    if (content === undefined) continue
    const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`
    return { type, etag, content }
  }
  // A bundler took the code of the package without its files. The page works without them.
  return undefined
}

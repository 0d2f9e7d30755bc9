import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { pnpmCommand } from './pnpm.js'
import { packages, root } from './repository.js'
import { runOrThrow } from './run.js'

/** A packed package, as it would be published. */
export interface Tarball {
  /** Absolute path of the tarball. */
  readonly path: string
  /** Files in it, relative to the package's root. */
  readonly files: readonly string[]
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** By package id. */
    readonly tarballs: Readonly<Record<string, Tarball>>
  }
}

interface PackReport {
  readonly name: string
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

/** Packs every published package once, for all suites. */
export default async function packPackages(project: TestProject): Promise<() => void> {
  const dir = mkdtempSync(join(tmpdir(), 'chaos-tarballs-'))
  const remove = (): void => rmSync(dir, { recursive: true, force: true })
  try {
    const [program, ...args] = pnpmCommand()
    const { stdout } = await runOrThrow(
      program,
      [...args, '--recursive', '--filter', './packages/*', 'pack', '--json', '--pack-destination', dir],
      { cwd: root },
    )
    const reports = JSON.parse(stdout.slice(stdout.indexOf('['))) as readonly PackReport[]
    const tarballs = packages.map(({ id, manifest }): [string, Tarball] => {
      const report = reports.find(({ name }) => name === manifest.name)
      if (report === undefined)
        throw new Error(
          `Expected \`pnpm pack\` to pack ${manifest.name}, it packed ${reports.map(({ name }) => name).join(', ')}.`,
        )
      return [id, { path: report.filename, files: report.files.map(({ path }) => path) }]
    })
    project.provide('tarballs', Object.fromEntries(tarballs))
  } catch (error) {
    remove()
    throw error
  }
  return remove
}

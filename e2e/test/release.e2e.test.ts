import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { packages, repositoryFiles, root, type Manifest } from '../src/repository.js'
import { runOrThrow } from '../src/run.js'

/** Versions after a first release, and after one more with the changeset if one is given. */
async function versionsAfter(changeset?: string): Promise<Record<string, string>> {
  const copy = mkdtempSync(join(tmpdir(), 'chaos-release-'))
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }))
  for (const file of repositoryFiles(
    'package.json',
    'pnpm-workspace.yaml',
    'packages/*/package.json',
    'apps/*/package.json',
    'e2e/package.json',
    'bench/package.json',
    '.changeset/*',
  )) {
    cpSync(join(root, file), join(copy, file), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const git = (...args: string[]): void =>
    void execFileSync('git', ['-c', 'user.name=release', '-c', 'user.email=release@example.invalid', ...args], {
      cwd: copy,
      stdio: 'ignore',
    })
  const version = async (): Promise<void> => {
    await runOrThrow(process.execPath, [join(root, 'node_modules/@changesets/cli/bin.js'), 'version'], { cwd: copy })
    git('add', '.')
    git('commit', '-m', 'a release')
  }
  git('init', '--initial-branch', 'main')
  git('add', '.')
  git('commit', '-m', 'a copy')
  await version()
  if (changeset !== undefined) {
    writeFileSync(join(copy, '.changeset', 'one.md'), changeset)
    await version()
  }
  return Object.fromEntries(
    packages.map(({ dir, manifest }) => [
      manifest.name,
      (
        JSON.parse(
          readFileSync(join(copy, 'packages', dir.slice(dirname(dir).length + 1), 'package.json'), 'utf8'),
        ) as Manifest
      ).version,
    ]),
  )
}

const first = Object.fromEntries(packages.map(({ manifest }) => [manifest.name, '1.0.0']))

describe('a release', () => {
  it('is 1.0.0 of every package, the first time', async () => {
    expect(await versionsAfter()).toEqual(first)
  })

  it('of one injector bumps that one alone', async () => {
    expect(await versionsAfter('---\n"@chaos/eventbus": minor\n---\n\nA new fault.\n')).toEqual({
      ...first,
      '@chaos/eventbus': '1.1.0',
    })
  })

  it('of a minor of core bumps no injector to a major, and to nothing at all where its range still fits', async () => {
    expect(await versionsAfter('---\n"@chaos/core": minor\n---\n\nSomething new.\n')).toEqual({
      ...first,
      '@chaos/core': '1.1.0',
    })
  })

  it('of core and an injector together bumps both by what each needs', async () => {
    expect(await versionsAfter('---\n"@chaos/core": patch\n"@chaos/worker": minor\n---\n\nBoth.\n')).toEqual({
      ...first,
      '@chaos/core': '1.0.1',
      '@chaos/worker': '1.1.0',
    })
  })
})

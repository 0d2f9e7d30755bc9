import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { packages, readJson, repositoryFiles, root, type Manifest } from './repository.js'
import { runOrThrow } from './run.js'

/** Versions of the published packages, by name. */
export type Versions = Readonly<Record<string, string>>

/** How much a changeset raises a version. */
export type Bump = 'patch' | 'minor' | 'major'

/** A copy of this repository with a history of its own, in which versions are made. */
export interface ReleaseCopy {
  readonly dir: string
  readonly versions: () => Versions
  /** Makes a release of every pending changeset, as `changeset version` does, commits it, and returns the versions. */
  readonly version: () => Promise<Versions>
  /** Adds a changeset, as `npm run changeset` writes it. */
  readonly addChangeset: (bumps: Readonly<Record<string, Bump>>, summary: string) => void
  readonly remove: () => void
}

/**
 * What programs of a copy get of this process's environment. What says that they run in a workflow is left out, since clients
 * publish otherwise there, and so is what npm and pnpm tell the scripts that they start.
 */
export const copyEnv: NodeJS.ProcessEnv = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(CI$|GITHUB_|ACTIONS_|RUNNER_|npm_|yarn_|pnpm_config_(registry|provenance)$)/i.test(name),
    ),
  ),
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'release',
  GIT_AUTHOR_EMAIL: 'release@example.invalid',
  GIT_COMMITTER_NAME: 'release',
  GIT_COMMITTER_EMAIL: 'release@example.invalid',
}

/** Copies the files of the checkout that match; `node_modules` is not among them. */
export async function copyRepository(...patterns: readonly string[]): Promise<ReleaseCopy> {
  const dir = mkdtempSync(join(tmpdir(), 'chaos-release-'))
  const git = (...args: readonly string[]): Promise<unknown> => runOrThrow('git', args, { cwd: dir, env: copyEnv })
  for (const file of repositoryFiles(...patterns)) cpSync(join(root, file), join(dir, file), { recursive: true })
  await git('init', '--quiet', '--initial-branch', 'main')
  await git('add', '.')
  await git('commit', '--quiet', '--message', 'a copy')
  let added = 0
  return {
    dir,
    versions: () => versionsIn(dir),
    async version() {
      const changesets = join(root, 'node_modules/@changesets/cli/bin.js')
      await runOrThrow(process.execPath, [changesets, 'version'], { cwd: dir, env: copyEnv })
      await git('add', '.')
      // There may be no changeset: right after a release there is none.
      await git('commit', '--quiet', '--allow-empty', '--message', 'a release')
      return versionsIn(dir)
    },
    addChangeset(bumps, summary) {
      const lines = Object.entries(bumps).map(([name, bump]) => `"${name}": ${bump}\n`)
      added += 1
      writeFileSync(join(dir, '.changeset', `added-${added}.md`), `---\n${lines.join('')}---\n\n${summary}\n`)
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}

/** A version with one part raised. */
export function raised(version: string | undefined, bump: Bump): string {
  const [major = 0, minor = 0, patch = 0] = (version ?? '').split('.').map(Number)
  if (bump === 'major') return `${major + 1}.0.0`
  return bump === 'minor' ? `${major}.${minor + 1}.0` : `${major}.${minor}.${patch + 1}`
}

function versionsIn(dir: string): Versions {
  return Object.fromEntries(
    packages.map((one) => [
      one.manifest.name,
      (readJson(join(dir, relative(root, one.dir), 'package.json')) as Manifest).version,
    ]),
  )
}

import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packages, repositoryFiles, root } from './repository.js'
import { run, type Ran } from './run.js'

/** A skeleton of each kind, and the files of it that people go on with. */
export const SKELETONS: readonly (readonly [asked: string, files: readonly string[]])[] = [
  ['fault eventbus/forget-events', faultFiles('eventbus', 'packages/eventbus/src', 'forget-events')],
  ['fault worker/end-workers', faultFiles('worker', 'packages/worker/src', 'end-workers')],
  ['fault adapter/calls/break-calls', faultFiles('adapter', 'packages/adapter/src/calls', 'break-calls')],
  ['fault adapter/http/queue-requests', faultFiles('adapter', 'packages/adapter/src/http', 'queue-requests')],
  ['fault proxy/blank-data', faultFiles('proxy', 'packages/proxy/src', 'blank-data')],
  [
    'client eventbus/some-broker some-broker ^1.2.0',
    [
      ...['index.ts', 'index.test.ts', 'index.test-d.ts', 'client.json'].map(
        (file) => `packages/eventbus/src/clients/some-broker/${file}`,
      ),
      '.changeset/bind-some-broker-in-eventbus.md',
    ],
  ],
  [
    'driver adapter/some-store some-store ^1.2.0',
    [
      ...['index.ts', 'index.test.ts', 'index.test-d.ts', 'driver.json'].map(
        (file) => `packages/adapter/src/drivers/some-store/${file}`,
      ),
      '.changeset/bind-some-store-in-adapter.md',
    ],
  ],
  [
    'probe experiment/page-number',
    [
      'packages/experiment/src/probes/page-number.ts',
      'packages/experiment/src/probes/page-number.test.ts',
      '.changeset/add-page-number-probe.md',
    ],
  ],
  [
    'injector jobs/fail-jobs',
    [
      ...['package.json', 'tsconfig.json', 'tsup.config.ts', 'vitest.config.ts', 'README.md', 'LICENSE'].map(
        (file) => `packages/jobs/${file}`,
      ),
      ...['index.ts', 'index.test.ts', 'target.ts'].map((file) => `packages/jobs/src/${file}`),
      ...faultFiles('jobs', 'packages/jobs/src', 'fail-jobs').slice(0, 3),
      '.changeset/first-release-of-jobs.md',
    ],
  ],
]

function faultFiles(id: string, folder: string, name: string): readonly string[] {
  return [
    `${folder}/faults/${name}.ts`,
    `${folder}/faults/${name}.test.ts`,
    `docs/faults/${id}/${name}.md`,
    `.changeset/add-${name}.md`,
  ]
}

/** A copy of the checkout in which skeletons are written. */
export interface Copy {
  /** Where a file of it is. */
  readonly at: (path: string) => string
  /** Runs one of its scripts: `new`, `sync`. */
  readonly script: (name: string, ...args: readonly string[]) => Promise<Ran>
  readonly remove: () => void
}

/** Copies sources, and links to what is installed. Remove the copy when done. */
export function copyOfRepository(): Copy {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-new-'))
  const at = (path: string): string => join(folder, path)
  const parts = ['scripts', 'packages', 'test-servers', 'docs', '.changeset', 'e2e/package.json', '.oxfmtrc.json']
  for (const file of repositoryFiles(...parts, ':(glob)*')) cpSync(join(root, file), at(file), { recursive: true })
  symlinkSync(join(root, 'node_modules'), at('node_modules'))
  for (const { id, dir } of packages) symlinkSync(join(dir, 'node_modules'), at(`packages/${id}/node_modules`))
  return {
    at,
    script: (name, ...args) => run(process.execPath, [at(`scripts/${name}.mjs`), ...args], { cwd: folder }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Makes a package that the skeletons are told to bind, where packages of a copy find it. */
export function installDouble(copy: Copy, name: string): void {
  const folder = copy.at(`packages/node_modules/${name}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '1.2.0', main: 'index.js' }))
  writeFileSync(join(folder, 'index.js'), 'module.exports = {}\n')
}

/** The package that a file belongs to; `undefined`: none. */
export const packageOf = (path: string): string | undefined => /^packages\/([^/]+)\//.exec(path)?.[1]

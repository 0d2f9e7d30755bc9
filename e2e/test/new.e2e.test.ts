import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packages, repositoryFiles, root } from '../src/repository.js'
import { run } from '../src/run.js'

/** A skeleton of each kind, and the files of it that people go on with. */
const SKELETONS: readonly (readonly [asked: string, files: readonly string[]])[] = [
  ['fault eventbus/forget-events', faultFiles('eventbus', 'packages/eventbus/src', 'forget-events')],
  ['fault worker/end-workers', faultFiles('worker', 'packages/worker/src', 'end-workers')],
  ['fault adapter/calls/break-calls', faultFiles('adapter', 'packages/adapter/src/calls', 'break-calls')],
  ['fault adapter/http/queue-requests', faultFiles('adapter', 'packages/adapter/src/http', 'queue-requests')],
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

let copy: string
const inCopy = (path: string): string => join(copy, path)
const script = (name: string, ...args: string[]): ReturnType<typeof run> =>
  run(process.execPath, [inCopy(`scripts/${name}.mjs`), ...args], { cwd: copy })

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'chaos-new-'))
  for (const file of repositoryFiles(
    'scripts',
    'packages',
    'docs',
    '.changeset',
    'e2e/package.json',
    ':(glob)*',
    '.prettierrc*',
  ))
    cpSync(join(root, file), inCopy(file), { recursive: true })
  symlinkSync(join(root, 'node_modules'), inCopy('node_modules'))
  for (const { id, dir } of packages) symlinkSync(join(dir, 'node_modules'), inCopy(`packages/${id}/node_modules`))
})
afterAll(() => rmSync(copy, { recursive: true, force: true }))

describe('npm run new', () => {
  it.each([
    ['', 'Unknown kind ""'],
    [
      'fualt eventbus/drop-all',
      'Unknown kind "fualt". Expected one of "fault", "client", "driver", "probe", "injector".',
    ],
    ['fault nowhere/drop-all', 'Unknown place "nowhere/drop-all" for a fault. Expected eventbus/<name>, worker/<name>'],
    ['fault eventbus/../drop-all', 'Unknown place "eventbus/../drop-all"'],
    ['fault eventbus/DropAll', 'Invalid name "DropAll" for a fault.'],
    ['fault eventbus/drop', 'Expected a verb and an object: drop-events.'],
    ['fault eventbus/drop-events', 'There is already packages/eventbus/src/faults/drop-events.ts'],
    ['client eventbus/some-broker', 'A client binds a library. Expected its name and its range'],
    ['injector worker/drop-all', 'There is already packages/worker/package.json'],
  ])('refuses `%s`, and writes nothing', async (asked, words) => {
    const { exitCode, stderr, stdout } = await script('new', ...asked.split(' ').filter((arg) => arg !== ''))
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(words)
    const isThere = (path: string): boolean => existsSync(inCopy(path))
    expect(['packages/eventbus/src/faults/drop-all.ts', 'docs/faults/eventbus/drop-all.md'].filter(isThere)).toEqual([])
  })

  it.each(SKELETONS)('writes what was asked for: %s', async (asked, files) => {
    const { exitCode, stdout, stderr } = await script('new', ...asked.split(' '), '--no-sync')
    expect(exitCode, stderr).toBe(0)
    expect([...stdout.matchAll(/^ {2}(.+)$/gm)].map(([, path]) => path).sort()).toEqual([...files].sort())
    expect(files.filter((path) => !existsSync(inCopy(path)))).toEqual([])
    // Marks of a template that nothing has filled in.
    expect(files.filter((path) => /__\w+__/.test(readFileSync(inCopy(path), 'utf8')))).toEqual([])
  })
})

describe('npm run sync', () => {
  it('registers each of them, and finds everything in step then', async () => {
    writeFileSync(
      inCopy('docs/probes.md'),
      `# Probes\n\nA probe is a reading.\n\n## http\n\nBy hand.\n\n## metric\n\nBy hand.\n\n## prometheus\n\nBy hand.\n`,
    )
    writeFileSync(inCopy('docs/choosing.md'), '# Choosing\n\nWhat to break.\n\n## By symptom\n\n## By dependency\n')
    const { exitCode, stdout, stderr } = await script('sync')
    expect(exitCode, stderr).toBe(0)
    expect(stdout).toContain('wrote packages/jobs/src/faults.ts\n')
    expect(await script('sync', '--check')).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
    const read = (path: string): string => readFileSync(inCopy(path), 'utf8')
    expect(read('packages/eventbus/src/index.ts')).toContain('forgetEvents, type ForgetEventsOptions')
    expect(read('docs/faults/adapter/queue-requests.md')).toMatch(/^\| `waitMs` \| ms; required +\|/m)
    expect(read('docs/choosing.md')).toMatch(
      /<!-- more faults -->\n\n[^]*\[end-workers\]\(faults\/worker\/end-workers\.md\)[^]*\n\n<!-- \/more faults -->\n\n## By dependency/,
    )
    expect(read('docs/probes.md')).toMatch(
      /## prometheus\n\nBy hand\.\n\n<!-- more probes -->\n\n## page-number\n\nReads a number.+\n\n[^]+^\| `url` +\| required +\|[^]+<!-- \/more probes -->\n$/m,
    )
    expect(read('llms.txt')).toContain('[jobs/fail-jobs](docs/faults/jobs/fail-jobs.md): Fails jobs before they run.')
    expect(JSON.parse(read('packages/experiment/experiment.schema.json'))).toBeTypeOf('object')
    expect(read('packages/experiment/experiment.schema.json')).toContain('"page-number"')
    expect(JSON.parse(read('packages/eventbus/package.json'))).toMatchObject({
      exports: { './some-broker': { import: { default: './dist/some-broker.js' } } },
      peerDependencies: { 'some-broker': '^1.2.0' },
      peerDependenciesMeta: { 'some-broker': { optional: true } },
      devDependencies: { 'some-broker': '^1.2.0', 'some-broker-lowest': 'npm:some-broker@1.2.0' },
    })
  })

  it('makes them compile, with their tests', async () => {
    symlinkSync(join(root, 'packages/worker/node_modules'), inCopy('packages/jobs/node_modules'))
    const files = SKELETONS.flatMap(([, paths]) => paths).filter((path) => path.endsWith('.ts'))
    writeFileSync(
      inCopy('tsconfig.new.json'),
      JSON.stringify({ extends: './tsconfig.base.json', files: [...files, 'packages/jobs/src/faults.ts'] }),
    )
    const tsc = join(root, 'node_modules/typescript-native/bin/tsc')
    const { exitCode, stdout } = await run(process.execPath, [tsc, '-p', 'tsconfig.new.json'], { cwd: copy })
    expect(exitCode, stdout).toBe(0)
  })

  it('says what is out of step, and what has no place for what it writes', async () => {
    const path = inCopy('packages/worker/README.md')
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace('| instant |', '| standing |'))
    expect(await script('sync', '--check')).toMatchObject({
      exitCode: 1,
      stdout: 'out of step: packages/worker/README.md\nRun `npm run sync`.\n',
    })
    writeFileSync(path, text.replace('<!-- faults -->', ''))
    expect(await script('sync')).toMatchObject({
      exitCode: 1,
      stderr:
        'packages/worker/README.md has no place for what sync writes. Put `<!-- faults -->` and `<!-- /faults -->` where it belongs.\n',
    })
  })
})

import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { root } from '../src/repository.js'
import { run } from '../src/run.js'
import { copyOfRepository, SKELETONS } from '../src/skeletons.js'

const copy = copyOfRepository()
afterAll(copy.remove)

describe('npm run new', () => {
  it.each(SKELETONS)('writes what was asked for: %s', async (asked, files) => {
    const { exitCode, stdout, stderr } = await copy.script('new', ...asked.split(' '), '--no-sync')
    expect(exitCode, stderr).toBe(0)
    expect([...stdout.matchAll(/^ {2}(.+)$/gm)].map(([, path]) => path).sort()).toEqual([...files].sort())
    expect(files.filter((path) => !existsSync(copy.at(path)))).toEqual([])
    // Marks of a template that nothing has filled in.
    expect(files.filter((path) => /__\w+__/.test(readFileSync(copy.at(path), 'utf8')))).toEqual([])
  })
})

describe('npm run sync', () => {
  it('registers each of them, and finds everything in step then', async () => {
    writeFileSync(
      copy.at('docs/probes.md'),
      `# Probes\n\nA probe is a reading.\n\n## http\n\nBy hand.\n\n## metric\n\nBy hand.\n\n## prometheus\n\nBy hand.\n`,
    )
    writeFileSync(copy.at('docs/choosing.md'), '# Choosing\n\nWhat to break.\n\n## By symptom\n\n## By dependency\n')
    const { exitCode, stdout, stderr } = await copy.script('sync')
    expect(exitCode, stderr).toBe(0)
    expect(stdout).toContain('wrote packages/jobs/src/faults.ts\n')
    expect(await copy.script('sync', '--check')).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
    const read = (path: string): string => readFileSync(copy.at(path), 'utf8')
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
    symlinkSync(join(root, 'packages/worker/node_modules'), copy.at('packages/jobs/node_modules'))
    const files = SKELETONS.flatMap(([, paths]) => paths).filter((path) => path.endsWith('.ts'))
    writeFileSync(
      copy.at('tsconfig.new.json'),
      JSON.stringify({ extends: './tsconfig.base.json', files: [...files, 'packages/jobs/src/faults.ts'] }),
    )
    const tsc = join(root, 'node_modules/typescript-native/bin/tsc')
    const { exitCode, stdout } = await run(process.execPath, [tsc, '-p', 'tsconfig.new.json'], { cwd: copy.at('.') })
    expect(exitCode, stdout).toBe(0)
  })
})

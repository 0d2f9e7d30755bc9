import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { installedPackages } from './installed-packages.js'

/** A folder with these files. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-installed-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

it('finds what the nearest package.json depends on, in its order, and loads nothing', () => {
  const folder = folderOf({
    'package.json': JSON.stringify({
      dependencies: { plain: '1', '@x/one': '1', absent: '1' },
      devDependencies: { two: '1', '@x/one': '1' },
      optionalDependencies: { hidden: '1' },
      peerDependencies: { three: '1' },
    }),
    'node_modules/plain/package.json': '{}',
    'node_modules/@x/one/package.json': '{ "chaos": { "a": 1 }, "main": "throws.js" }',
    'node_modules/@x/one/throws.js': 'throw new Error("loaded")',
    'node_modules/two/package.json': '{ "chaos": { "b": 2 } }',
    'node_modules/three/package.json': '{ "chaos": {} }',
    'node_modules/hidden/package.json': '{ "chaos": {}, "exports": {} }',
    'node_modules/no-dependency/package.json': '{ "chaos": {} }',
    'deeper/still/file.txt': '',
  })
  const found = installedPackages(join(folder, 'deeper', 'still'))
  expect(found).toMatchObject({ manifest: join(folder, 'package.json'), dependencies: 6 })
  expect(found.packages.map(({ name, chaos }) => [name, chaos])).toEqual([
    ['@x/one', { a: 1 }],
    ['two', { b: 2 }],
    ['three', {}],
  ])
})

it('loads an entry by require, or by import where it cannot be required', async () => {
  const folder = folderOf({
    'package.json': '{ "dependencies": { "both": "1" } }',
    'node_modules/both/package.json':
      '{ "chaos": {}, "exports": { "./common": "./c.cjs", "./module": "./m.mjs", "./package.json": "./package.json" } }',
    'node_modules/both/c.cjs': 'exports.kind = "common"',
    'node_modules/both/m.mjs': 'await 0\nexport const kind = "module"',
  })
  const [both] = installedPackages(folder).packages
  expect(both?.load('./common')).toEqual({ kind: 'common' })
  await expect(both?.load('./module')).resolves.toMatchObject({ kind: 'module' })
  expect(() => both?.load('./absent')).toThrow('./absent')
})

it('leaves out a package.json that is too large, no JSON, no object or no file', () => {
  const large = JSON.stringify({ chaos: {}, padding: 'x'.repeat(1_048_576) })
  const folder = folderOf({
    'package.json': '{ "dependencies": { "large": "1", "broken": "1", "list": "1", "text": "1", "good": "1" } }',
    'node_modules/large/package.json': large,
    'node_modules/broken/package.json': '{ "chaos": {',
    'node_modules/list/package.json': '[]',
    'node_modules/text/package.json': '{ "chaos": "yes" }',
    'node_modules/good/package.json': '{ "chaos": {} }',
  })
  expect(installedPackages(folder).packages.map(({ name }) => name)).toEqual(['good'])
  writeFileSync(join(folder, 'package.json'), large)
  expect(() => installedPackages(folder)).toThrow('is not a file of at most 1048576 bytes')
  writeFileSync(join(folder, 'package.json'), '[1]')
  expect(() => installedPackages(folder)).toThrow('does not hold an object')
  writeFileSync(join(folder, 'package.json'), 'name: x')
  expect(() => installedPackages(folder)).toThrow('package.json is not JSON')
  for (const dependencies of ['null', '"ab"', '7', '[1]']) {
    writeFileSync(join(folder, 'package.json'), `{ "dependencies": ${dependencies} }`)
    expect(installedPackages(folder).packages).toEqual([])
  }
})

it('looks at the first 2,000 dependencies', () => {
  const names = Array.from({ length: 2_001 }, (_, index) => `p${index}`)
  const folder = folderOf({
    'package.json': JSON.stringify({ dependencies: Object.fromEntries(names.map((name) => [name, '1'])) }),
    'node_modules/p1999/package.json': '{ "chaos": {} }',
    'node_modules/p2000/package.json': '{ "chaos": {} }',
  })
  const { dependencies, packages } = installedPackages(folder)
  expect(dependencies).toBe(2_001)
  expect(packages.map(({ name }) => name)).toEqual(['p1999'])
})

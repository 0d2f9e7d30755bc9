import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadExperiment } from './load.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chaos-experiment-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}
const data = {
  title: 'in ${CITY}',
  steadyState: { probes: [{ name: 'health', type: 'http', url: 'http://localhost/' }] },
  method: [{ waitMs: 1 }],
}

it.skipIf(process.platform === 'win32')('an experiment is not waited for where it is a pipe', async () => {
  const pipe = join(folder, 'pipe.yaml')
  execFileSync('mkfifo', [pipe])
  await expect(loadExperiment(pipe)).rejects.toMatchObject({
    code: 'CHAOS_INVALID_EXPERIMENT',
    message: expect.stringContaining('it is not a file') as string,
  })
})

describe('an experiment is loaded', () => {
  it.each([
    ['a.yaml', JSON.stringify(data)],
    ['a.yml', JSON.stringify(data)],
    ['a.json', JSON.stringify(data)],
    ['a.mjs', `export default ${JSON.stringify(data)}`],
    ['a.cjs', `module.exports = ${JSON.stringify(data)}`],
    ['made.mjs', `export default ({ CITY }) => ({ ...${JSON.stringify(data)}, title: 'in ' + CITY })`],
    ['later.mjs', `export default async () => (${JSON.stringify(data)})`],
  ])('from %s', async (name, text) => {
    expect((await loadExperiment(await file(name, text), { variables: { CITY: 'Bern' } })).title).toBe('in Bern')
  })

  it('with its variables left for the run where none are given', async () => {
    expect((await loadExperiment(await file('b.mjs', `export default ${JSON.stringify(data)}`))).title).toBe(
      'in ${CITY}',
    )
  })
})

describe('what cannot be loaded is said, with the file', () => {
  it.each([
    ['a file that is not there', 'none.yaml', undefined, /The experiment file .*none\.yaml cannot be read: .*ENOENT/s],
    ['a folder that is not there', 'none', undefined, /There is no file or folder .*none\.$/],
    ['a file of another kind', 'a.txt', 'x', /Unknown file type of .*a\.txt\. Name the file \.yaml/],
    ['a mistake in YAML', 'c.yaml', 'title: 7', /c\.yaml:1:1: title: Expected `title` to be a text, got `7`/],
    [
      'a module that throws',
      'throws.mjs',
      'throw new Error("no luck")',
      /The module .*throws\.mjs cannot be loaded: no luck/,
    ],
    [
      'a module without an experiment',
      'none.mjs',
      'export const a = 1',
      /has no default export\. Export the experiment/,
    ],
    ['a mistake in a module', 'wrong.mjs', 'export default { title: 7 }', /title: Expected `title` to be a text/],
    ['an unknown variable', 'd.yaml', JSON.stringify(data), /d\.yaml:1:10: Unknown variable "CITY"\. Known: none/],
  ])('%s', async (_title, name, text, message) => {
    const path = text === undefined ? join(folder, name) : await file(name, text)
    await expect(loadExperiment(path, { variables: {} })).rejects.toMatchObject({
      code: 'CHAOS_INVALID_EXPERIMENT',
      message: expect.stringMatching(message) as string,
    })
  })

  it('TypeScript on a runtime that cannot load it, with what to do', async () => {
    const path = await file('wrong.ts', 'export default ((: number')
    await expect(loadExperiment(path)).rejects.toThrow(
      /Node\.js before 22\.18 cannot load TypeScript\. Use a newer version, or compile the module first/,
    )
  })
})

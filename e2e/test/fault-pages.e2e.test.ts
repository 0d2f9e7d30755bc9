import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { outputsOf } from '../src/example-groups.js'
import { exampleFolder, faultNames, pageExamples } from '../src/examples.js'
import { injectors, packageNamed, repositoryFiles, root, type Package } from '../src/repository.js'
import { run } from '../src/run.js'

const pageOf = (fault: string): string => `docs/faults/${fault}.md`
const read = (page: string): string => (existsSync(join(root, page)) ? readFileSync(join(root, page), 'utf8') : '')

/** The sections of a fault page, in order. */
const SECTIONS = ['Options', 'What happens', 'How it ends', 'Evidence', 'See also']

const catalogs = await Promise.all(
  injectors.map(async (injector) => [injector.id, injector, await faultNames(injector)] as const),
)

describe.each(catalogs)('the fault pages of @chaos/%s', (id, injector, faults) => {
  it('cover every fault with an example', () => {
    expect(faults).not.toEqual([])
    expect(faults.filter((fault) => pageExamples(read(pageOf(fault))).length === 0)).toEqual([])
  })

  it('have the same sections', () => {
    const sectionsOf = (fault: string): readonly string[] =>
      [...read(pageOf(fault)).matchAll(/^## (.*)$/gm)].map(([, title = '']) => title)
    for (const fault of faults) {
      expect(read(pageOf(fault)), fault).toMatch(new RegExp(`^# ${fault}\n`))
      expect(
        sectionsOf(fault).filter((title) => SECTIONS.includes(title)),
        fault,
      ).toEqual(SECTIONS)
      expect(read(pageOf(fault)), fault).toMatch(/^<!-- options -->$[^]*^<!-- \/options -->$/m)
    }
  })

  runExamples(`docs/faults/${id}/*.md`, injector)
})

describe('the recipes', () => {
  runExamples('docs/recipes/*.md', packageNamed('eventbus'))
})

/** Declares one test for each example of some pages. */
function runExamples(pages: string, injector: Package): void {
  let folder: ReturnType<typeof exampleFolder>
  let outputs: ReturnType<typeof outputsOf>
  const examples = repositoryFiles(pages).flatMap((page) =>
    pageExamples(read(page)).map(({ code, output }, index) => ({
      page: basename(page, '.md'),
      number: index + 1,
      code,
      output,
    })),
  )
  const files: string[] = []
  beforeAll(() => {
    folder = exampleFolder(injector)
    for (const { page, number, code } of examples) files.push(folder.write(`${page}-${number}.mjs`, code))
    outputs = outputsOf(files)
  })
  afterAll(() => folder.remove())

  it.each(examples.map((example, at) => ({ ...example, at })))(
    '$page.md: example $number prints what the page says',
    async ({ at, output }) => {
      if ((await outputs[at]) === output) return
      // Not every program leaves its process to the next as it was.
      const { stderr, ...ran } = await run(process.execPath, [files[at] ?? ''], {
        timeoutMs: 60_000,
        env: { ...process.env, NODE_ENV: 'test' },
      })
      expect(ran, stderr).toEqual({ exitCode: 0, signal: null, stdout: output })
    },
  )
}

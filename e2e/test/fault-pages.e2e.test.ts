import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleFolder, faultNames, pageExamples } from '../src/examples.js'
import { injectors, packageNamed, repositoryFiles, root, type Package } from '../src/repository.js'
import { run } from '../src/run.js'

const pageOf = (fault: string): string => `docs/faults/${fault}.md`
const read = (page: string): string => (existsSync(join(root, page)) ? readFileSync(join(root, page), 'utf8') : '')

/** The sections of a fault page, in order. */
const SECTIONS = ['Options', 'What happens', 'How it ends', 'Evidence', 'See also']

/** Most of the time of an example is the start of its process: two of them keep two cores busy. */
const AT_ONCE = 2
let running = 0
const waiting: (() => void)[] = []

async function atOnce<Result>(work: () => Promise<Result>): Promise<Result> {
  if (running === AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
  else running += 1
  try {
    return await work()
  } finally {
    // The place goes to the next in line, or is free.
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }
}

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
  beforeAll(() => {
    folder = exampleFolder(injector)
  })
  afterAll(() => folder.remove())

  const examples = repositoryFiles(pages).flatMap((page) =>
    pageExamples(read(page)).map((example, index) => [basename(page, '.md'), index + 1, example] as const),
  )
  it.concurrent.each(examples)('%s.md: example %i prints what the page says', async (page, number, example) => {
    const file = folder.write(`${page}-${number}.mjs`, example.code)
    const { stderr, ...ran } = await atOnce(() =>
      run(process.execPath, [file], { timeoutMs: 10_000, env: { ...process.env, NODE_ENV: 'test' } }),
    )
    expect(ran, stderr).toEqual({ exitCode: 0, signal: null, stdout: example.output })
  })
}

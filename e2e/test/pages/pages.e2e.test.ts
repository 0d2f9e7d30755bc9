import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseExperiment } from '@chaos/experiment'
import { describe, expect, it } from 'vitest'
import { blocksOf, examplesOf, isRewritten, runModule } from '../../src/page-examples.js'
import { repositoryFiles, root } from '../../src/repository.js'

/** Pages whose `js` blocks, but for files, are whole modules: each runs, and prints what the `text` block behind it shows. */
const PAGES = [
  'docs/choosing.md',
  'docs/coming-from.md',
  'docs/exploring.md',
  'docs/fleet/chaos-mesh.md',
  'docs/page.md',
  'docs/probes.md',
  'docs/proxy-tls.md',
  'docs/retries.md',
  'docs/scopes.md',
  'docs/toxiproxy.md',
  'docs/troubleshooting.md',
  'docs/udp.md',
  'packages/adapter/README.md',
  'packages/proxy/README.md',
]
const EXAMPLES = PAGES.flatMap((page) =>
  examplesOf(page, 'js')
    .filter(({ file }) => file === undefined)
    .map((example) => ({ page, line: example.line, example })),
)
const EXPERIMENTS = [...PAGES, 'docs/getting-started.md'].flatMap((page) =>
  blocksOf(page)
    .filter(({ language, code }) => language === 'yaml' && /^title: /m.test(code))
    .map(({ code, line }) => ({ page, code, line })),
)
/** What to do where a message of the packages has changed on purpose. */
const REWRITE = 'With PAGES=write set, the page gets the new output.'

describe('the examples of the pages', () => {
  it.concurrent.each(EXAMPLES)('$page line $line prints what it shows', async ({ page, example }) => {
    const { exitCode, stdout, stderr } = await runModule(example.code)
    expect(exitCode, stdout + stderr).toBe(0)
    if (example.output === undefined || isRewritten(page, example, stdout)) return
    expect(stdout, REWRITE).toBe(example.output)
  })
})

describe('the experiments of the pages', () => {
  it.each(EXPERIMENTS)('$page line $line is valid', ({ page, code }) => {
    expect(parseExperiment(code, { filename: page }).method.length).toBeGreaterThan(0)
  })
})

/** The bounds of probes in the code of the pages, also where that is only a part of a program. */
const BOUNDS = repositoryFiles('*.md').flatMap((page) =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/\btolerance"?: (\{[^}]*\})/g)].map(([, bounds = '']) => ({
    page,
    // YAML has no separators within numbers.
    bounds: bounds.replace(/(?<=\d)_(?=\d)/g, ''),
  })),
)

it.each(BOUNDS)('$bounds of $page are bounds', ({ bounds }) => {
  const experiment = `
title: bounds
steadyState: { probes: [{ name: probe, type: http, url: 'http://127.0.0.1/', path: value, tolerance: ${bounds} }] }
method: [{ inject: { target: orders, fault: drop-events } }]
`
  expect(parseExperiment(experiment, { filename: 'bounds.yaml' }).steadyState.probes).toHaveLength(1)
})

/** A page without its code. */
const proseOf = (page: string): string => readFileSync(join(root, page), 'utf8').replace(/^```[\s\S]*?^```$/gm, '')

/** What a link may name behind `#`: its headings, as GitHub makes addresses of them. */
function anchorsOf(page: string): readonly string[] {
  return [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, '')
      .replace(/ /g, '-'),
  )
}

describe('links of the pages', () => {
  it.each([
    ...PAGES,
    'docs/comparison.md',
    'docs/concepts.md',
    'docs/explore-live.md',
    'docs/fleet/README.md',
    'docs/getting-started.md',
    'docs/testing.md',
  ])('lead to a section that exists, in %s', (page) => {
    const links = [...proseOf(page).matchAll(/\]\((?!https?:)([^)\s#]*)#([^)\s]+)\)/g)]
    const broken = links.filter(([, file = '', anchor = '']) => {
      const to = file === '' ? page : join(dirname(page), file)
      return !existsSync(join(root, to)) || !anchorsOf(to).includes(anchor)
    })
    expect(broken.map(([link]) => link)).toEqual([])
  })
})

// What sync writes into the documentation: the options of each fault, the index of the pages, and llms.txt.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { optionsTable } from './options.mjs'
import { inMarkdown, marksOf, summaryOf } from './text.mjs'
import { filesIn, read, root } from './tree.mjs'

/** A table of options that was written by hand. */
const BY_HAND = /^\| option\b.*\n\|[ :|-]+\n(?:\|.*\n?)+/m

const pageOf = ({ name }) => `docs/faults/${name}.md`

/** The page of a fault, with the table of its options. A table by hand makes room for it. */
export function faultPageOf(fault, catalogs) {
  const path = pageOf(fault)
  if (!existsSync(join(root, path))) throw new Error(`Expected a page ${path} for the fault ${fault.name}.`)
  const text = read(path)
  const marks = marksOf('options')
  const options = optionsTable(catalogs.get(fault.file))
  if (options === undefined && !text.includes(marks[0])) return [path, text]
  const marked = text.includes(marks[0]) ? text : text.replace(BY_HAND, `${marks.join('\n')}\n`)
  return [path, inMarkdown(path, marked, 'options', options ?? 'This fault has no options.')]
}

/** The sections of the index: title, and the pages in order. */
function sectionsOf(packages, catalogs, pages) {
  const below = (folder) => [...pages.keys()].filter((path) => new RegExp(`^docs/${folder}[^/]+\\.md$`).test(path))
  const described = (paths) =>
    paths.map((path) => {
      const { title, sentence } = summaryOf(path, pages.get(path))
      return { path, title, sentence }
    })
  const faults = packages
    .filter((one) => one.faults.length > 0)
    .flatMap(({ id, faults: own }) => {
      const shared = described([...below(`faults/${id}/`), ...below('faults/')]).filter(
        ({ path }) => !own.some((fault) => pageOf(fault) === path) && new RegExp(`^docs/faults/${id}[/-]`).test(path),
      )
      const listedFaults = own.map((fault) => {
        const { name, kind, summary } = catalogs.get(fault.file)
        return { path: pageOf(fault), title: name, sentence: kind === 'instant' ? `${summary} Instant.` : summary }
      })
      return [{ title: `Faults of @chaos/${id}`, pages: [...shared, ...listedFaults] }]
    })
  return [
    { title: 'Guides', pages: described(below('').filter((path) => path !== 'docs/README.md')) },
    {
      title: 'Packages',
      pages: packages.map(({ dir, manifest }) => ({
        path: `${dir}/README.md`,
        title: manifest.name,
        sentence: manifest.description,
      })),
    },
    ...faults,
    { title: 'Recipes', pages: described(below('recipes/')) },
    { title: 'Decisions', pages: described(below('decisions/')) },
    { title: 'Error codes', pages: described(below('errors/')) },
  ].filter((section) => section.pages.length > 0)
}

const relativeToDocs = (path) => (path.startsWith('docs/') ? path.slice('docs/'.length) : `../${path}`)

function listOf(sections, linkTo) {
  return sections
    .map(
      ({ title, pages }) =>
        `## ${title}\n\n${pages.map((page) => `- [${page.title}](${linkTo(page.path)}): ${page.sentence}`).join('\n')}`,
    )
    .join('\n\n')
}

/** The index of the documentation, and the same for language models (llmstxt.org). */
export function indexesOfPages(packages, catalogs, written) {
  const pages = new Map(
    filesIn('docs')
      .filter((path) => path.endsWith('.md'))
      .map((path) => [path, written.get(path) ?? read(path)]),
  )
  const sections = sectionsOf(packages, catalogs, pages)
  const readme = read('README.md')
  const { title } = summaryOf('README.md', readme)
  const [paragraph] = readme.replace(/^# .+\n+/, '').split('\n\n')
  const summary = paragraph.replace(/\s+/g, ' ')
  return [
    ['docs/README.md', inMarkdown('docs/README.md', read('docs/README.md'), 'pages', listOf(sections, relativeToDocs))],
    ['llms.txt', `# ${title}\n\n> ${summary}\n\n${listOf(sections, (path) => path)}\n`],
  ]
}

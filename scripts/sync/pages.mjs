// What sync writes into the documentation: the options of each fault, the index of the pages, and llms.txt.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { optionsTable } from './options.mjs'
import { inMarkdown, marksOf, summaryOf, table } from './text.mjs'
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
    { title: 'Guides', pages: described(inReadingOrder(below('').filter((path) => path !== 'docs/README.md'))) },
    {
      title: 'Packages',
      pages: packages.map(({ dir, manifest }) => ({
        path: `${dir}/README.md`,
        title: manifest.name,
        sentence: manifest.description,
      })),
    },
    ...faults,
    { title: 'Fleets', pages: described(below('fleet/')) },
    { title: 'Recipes', pages: described(below('recipes/')) },
    { title: 'Decisions', pages: described(below('decisions/')) },
    { title: 'Error codes', pages: described(below('errors/')) },
  ].filter((section) => section.pages.length > 0)
}

/** The guides that a newcomer reads first; the others follow by name. */
const FIRST = ['getting-started', 'concepts', 'choosing', 'testing', 'probes', 'troubleshooting']

function inReadingOrder(paths) {
  const place = (path) => {
    const index = FIRST.indexOf(path.slice('docs/'.length, -'.md'.length))
    return index === -1 ? FIRST.length : index
  }
  return [...paths].sort((a, b) => place(a) - place(b))
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

const CHOOSING_PAGE = 'docs/choosing.md'
const PROBES_PAGE = 'docs/probes.md'

/** Parts of a page that people write, which what has come since completes: what stands between the marks is not theirs. */
function completed(path, block, heading, contentFor) {
  if (!existsSync(join(root, path))) return []
  const marks = marksOf(block)
  const text = read(path)
  const [begin, end] = marks.map((mark) => text.indexOf(mark))
  const byHand = begin === -1 ? text : text.slice(0, begin) + text.slice(end + marks[1].length)
  const content = contentFor(byHand)
  if (content === undefined && begin === -1) return []
  const at = heading === undefined ? text.length : text.indexOf(`\n${heading}\n`)
  const marked = begin === -1 ? `${text.slice(0, at)}\n${marks.join('\n\n')}\n${text.slice(at)}` : text
  return [[path, inMarkdown(path, marked, block, content ?? '')]]
}

/** The page on choosing, with each fault that its table of symptoms does not lead to yet. */
export function choosingPageOf(packages, catalogs) {
  return completed(CHOOSING_PAGE, 'more faults', '## By dependency', (byHand) => {
    const missing = packages.flatMap(({ faults }) =>
      faults.filter(({ name }) => !byHand.includes(`(faults/${name}.md)`)),
    )
    const rows = missing.map(({ name, file }) => [
      catalogs.get(file).summary,
      `[${name.split('/')[1]}](faults/${name}.md)`,
    ])
    return rows.length === 0 ? undefined : table(['what it does', 'the fault'], rows)
  })
}

/** The reference of probes, with a section for each type that has none by hand. */
export function probesPageOf(probes, schema) {
  if (probes.length === 0) return []
  const all = schema.properties.steadyState.properties.probes.items.oneOf
  return completed(PROBES_PAGE, 'more probes', undefined, (byHand) => {
    const missing = all.filter(({ properties }) => !byHand.includes(`\n## ${properties.type.const}\n`))
    return missing.length === 0 ? undefined : missing.map((one) => probeSection(one, probes)).join('\n\n')
  })
}

function probeSection({ properties, required }, probes) {
  const type = properties.type.const
  const rows = Object.entries(properties)
    .filter(([name]) => name !== 'type')
    .map(([name, { description = 'See [what all probes share](#what-all-probes-share).' }]) => {
      const fallback = / Default (\d+)\.$/.exec(description)?.[1]
      return [
        `\`${name}\``,
        fallback ?? (required.includes(name) ? 'required' : 'none'),
        description.replace(/ Default \d+\.$/, ''),
      ]
    })
  const { summary } = probes.find((one) => one.type === type)
  return `## ${type}\n\n${summary}\n\n${table(['field', 'default', 'meaning'], rows)}`
}

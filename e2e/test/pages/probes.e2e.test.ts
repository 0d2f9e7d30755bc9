import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ALERT_READERS, parseExperiment } from '@chaos/experiment'
import { describe, expect, it } from 'vitest'
import { blocksOf } from '../../src/page-examples.js'
import { packageNamed, readJson, root } from '../../src/repository.js'

const PAGE = 'docs/probes.md'
const text = readFileSync(join(root, PAGE), 'utf8')

interface ProbeSchema {
  readonly properties: Readonly<Record<string, { readonly const?: string; readonly description?: string }>>
}
interface ExperimentSchema {
  readonly properties: {
    readonly steadyState: {
      readonly properties: { readonly probes: { readonly items: { readonly oneOf: ProbeSchema[] } } }
    }
  }
}
const schema = readJson(join(packageNamed('experiment').dir, 'experiment.schema.json')) as ExperimentSchema
const probes = schema.properties.steadyState.properties.probes.items.oneOf

/** What stands below a heading, up to the next of the same level or above. */
function section(heading: string): string {
  const [marks = ''] = heading.split(' ')
  const from = text.indexOf(`\n${heading}\n`)
  expect(from, heading).toBeGreaterThan(0)
  const rest = text.slice(from + 1 + heading.length)
  const end = rest.search(new RegExp(`^#{1,${marks.length}} `, 'm'))
  return end === -1 ? rest : rest.slice(0, end)
}

describe('the reference of probes', () => {
  const shared = section('## What all probes share')

  it.each(probes.map((one) => [one.properties['type']?.const ?? '', one] as const))(
    'names every field of the type %s, with its default',
    (type, { properties }) => {
      const own = section(`## ${type}`)
      for (const [field, { description = '' }] of Object.entries(properties)) {
        const row = [...own.split('\n'), ...shared.split('\n')].find((line) => line.startsWith(`| \`${field}\``))
        expect(row, `${type}: ${field}`).toBeDefined()
        const fallback = /Default (\d+)\.$/.exec(description)?.[1]
        if (fallback !== undefined) expect(row, `${type}: ${field}`).toContain(`| ${fallback} `)
      }
    },
  )

  it('shows probes that an experiment accepts', () => {
    const blocks = blocksOf(PAGE).filter(({ language }) => language === 'yaml')
    expect(blocks.length).toBe(3)
    for (const { code } of blocks) {
      const experiment = `title: a page\nsteadyState:\n  probes:\n${code.replace(/^/gm, '    ').trimEnd()}\nmethod: [{ waitMs: 1 }]\n`
      expect(parseExperiment(experiment, { filename: PAGE }).steadyState.probes.length).toBeGreaterThan(0)
    }
  })

  it('names every option of the alert readers', () => {
    expect(ALERT_READERS.map(({ type }) => type)).toEqual(['prometheus', 'alertmanager'])
    for (const { type, options } of ALERT_READERS)
      for (const option of Object.keys(options['properties'] ?? {}))
        expect(section(`### ${type}Alerts`), `${type}: ${option}`).toContain(`| \`${option}\``)
  })
})

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { ErrorPreset } from '../src/errors/index.js'
import { timingOf } from '../src/errors/timing.js'
import { describeError, type ErrorDescription } from './describe-error.js'
import { timingOfRejection } from './rejection.js'

const page = fileURLToPath(new URL('../../../docs/presets.md', import.meta.url))

/** A preset's error beside the real one. */
export interface Comparison {
  /** An error preset, or the name of a handshake that fails. */
  readonly preset: string
  /** What made the real one, with its version: `PostgreSQL 15.20, pg 8.23.1`. */
  readonly beside: string
  readonly injected: Error
  /** The real error, or what another process told of it. */
  readonly real: Error | ErrorDescription
  /** Fields whose texts name what changes from run to run (process numbers, tables), and what makes them alike. */
  readonly alike?: Readonly<Record<string, (value: unknown) => unknown>>
}

/**
 * Expects two errors to be the same, field by field, and the table of `docs/presets.md` to say so. `CHAOS_UPDATE_DOCS=1` writes the row.
 * A version other than the one that the page names is compared all the same.
 */
export function expectFidelity({ preset, beside, injected, real, alike = {} }: Comparison): void {
  const [ours, theirs] = [injected, real].map((error) =>
    leveled(error instanceof Error ? describeError(error) : error, alike),
  )
  expect(ours).toEqual(theirs)
  if (real instanceof Error) expect(injected.constructor, 'the very class').toBe(real.constructor)
  const fields = [
    'class',
    ...(theirs?.keys ?? []).filter((key) => key !== '[stack]').map((key) => key.replace(/[[\]]/g, '')),
  ]
  if (!fields.includes('name')) fields.splice(1, 0, 'name')
  const timing = timingOfRejection(real)
  if (timing !== undefined) {
    expect(timingOf(preset as ErrorPreset), 'the turn in which it comes').toBe(timing)
    fields.push(`turn (${timing === 'same-turn' ? 'the same' : 'a later one'})`)
  }
  const but = Object.keys(alike)
  expectRow(
    preset,
    beside,
    `${fields.map((field) => (field.startsWith('turn ') ? field : `\`${field}\``)).join(', ')}, order of keys, head of the stack`,
    but.length === 0
      ? 'equal'
      : `equal, but for what names the run in ${but.map((field) => `\`${field}\``).join(', ')}`,
  )
}

/** Digits that differ from run to run. */
export const anyNumbers = (value: unknown): unknown =>
  typeof value === 'string' ? value.replace(/\d+/g, '0') : typeof value

function leveled(error: ErrorDescription, alike: Comparison['alike'] = {}): ErrorDescription {
  const level = (field: string, value: unknown): unknown => alike[field]?.(value) ?? value
  const message = level('message', error.message) as string
  return {
    ...error,
    message,
    stackHead: error.stackHead.replace(error.message.split('\n')[0] ?? '', message.split('\n')[0] ?? ''),
    values: Object.fromEntries(Object.entries(error.values).map(([field, value]) => [field, level(field, value)])),
  }
}

/** Expects the page to have a row of the fidelity table. */
function expectRow(preset: string, beside: string, fields: string, result: string): void {
  const row = `| \`${preset}\` | ${beside} | ${fields} | ${result} |`
  const text = readFileSync(page, 'utf8')
  if (process.env['CHAOS_UPDATE_DOCS'] === '1') {
    const lines = text.split('\n')
    const known = lines.findIndex((line) => line.startsWith(`| \`${preset}\` | ${beside} |`))
    lines.splice(known === -1 ? lines.lastIndexOf('<!-- fidelity -->') : known, known === -1 ? 0 : 1, row)
    writeFileSync(page, lines.join('\n'))
    return
  }
  if (text.includes(`| ${beside} |`))
    expect(text.split('\n'), 'the page as the tests find it; CHAOS_UPDATE_DOCS=1 writes it').toContain(row)
}

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseExperiment } from './parse.js'
import { experimentJsonSchema } from './json-schema.js'

const validate = new Ajv2020({ strict: true, strictRequired: false }).compile(experimentJsonSchema())

const probe = { name: 'health', type: 'http', url: 'http://localhost/' }
const whole = {
  $schema: './experiment.schema.json',
  title: 'x',
  load: {
    report: 'http://127.0.0.1:9/',
    atLeastPerSecond: 5,
    maxOwnDelayMs: 50,
    stuckAfterMs: 5_000,
    atMost: { failed: 1 },
  },
  steadyState: {
    holdForMs: 1,
    mayBreach: ['health'],
    probes: [
      probe,
      {
        name: 'p95',
        type: 'metric',
        url: '${APP}/metrics',
        series: 'lag',
        labels: { a: 'b' },
        labelsMatch: { c: 'd.*' },
        quantile: 0.95,
        windowMs: 10_000,
        emptyIs: 0,
        tolerance: { below: 1 },
      },
      {
        name: 'share',
        type: 'metric',
        url: '${APP}/metrics',
        series: 'errors',
        outOf: { series: 'calls' },
        reduce: 'sum',
        tolerance: { atMost: 0.05 },
      },
      {
        name: 'up',
        type: 'prometheus',
        url: 'http://localhost:9090',
        query: 'up',
        emptyIs: 0,
        existsQuery: 'count(up)',
        tolerance: { equals: 1 },
      },
    ],
  },
  method: [
    {
      inject: {
        target: 'a',
        fault: 'b',
        options: { delayMs: 1 },
        leaseMs: 1,
        forMs: 1,
        rate: 1,
        limit: 1,
        only: ['a'],
        seed: 's',
      },
    },
    { waitMs: 1 },
  ],
  alerts: {
    mustFire: [{ name: 'A', labels: { severity: 'page' }, withinMs: 1 }],
    mayFire: ['B', { name: 'C', labels: {} }],
    resolveWithinMs: 1,
  },
  recovery: { withinMs: 1, duringFault: { probes: ['health'], withinMs: 1 } },
  rollbacks: [{ name: 'restart', type: 'http', url: 'http://localhost/restart', body: { now: true } }],
  afterwards: [{ ...probe, name: 'lost', path: 'lost', tolerance: { equals: 0 } }],
}

describe('the published JSON Schema', () => {
  it('is in step with the declaration that checks experiments', async () => {
    const published = await readFile(fileURLToPath(new URL('../../experiment.schema.json', import.meta.url)), 'utf8')
    expect(JSON.parse(published), 'run `npm run schema` in packages/experiment').toEqual(experimentJsonSchema())
  })

  it('takes an experiment that uses everything, as the parser does', () => {
    expect(validate(whole), JSON.stringify(validate.errors)).toBe(true)
    expect(() => parseExperiment(JSON.stringify(whole))).not.toThrow()
  })

  it('says of any change to a value or key what the parser says', () => {
    const paths = (value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] =>
      typeof value === 'object' && value !== null
        ? [
            path,
            ...Object.entries(value).flatMap(([key, one]) =>
              paths(one, [...path, Array.isArray(value) ? Number(key) : key]),
            ),
          ]
        : [path]
    // Names that repeat or are not there are beyond a JSON Schema, and so are functions.
    const plain = { ...whole, steadyState: { ...whole.steadyState, mayBreach: [] }, recovery: { withinMs: 1 } }
    const places = paths(plain).filter((path) => path.length > 0 && path.at(-1) !== 'name')
    fc.assert(
      fc.property(
        fc.constantFrom(...places),
        fc.constantFrom<unknown>(undefined, null, '', 'text', -1, 0.5, 2, true, [], {}, ['health'], { a: 1 }),
        fc.boolean(),
        (place, value, addsKey) => {
          const changed = structuredClone(plain) as Record<string, unknown>
          const parent = place
            .slice(0, -1)
            .reduce<Record<string, unknown>>((node, key) => node[key] as Record<string, unknown>, changed)
          const key = String(place.at(-1))
          if (addsKey && !Array.isArray(parent)) parent[`${key}x`] = value
          else parent[key] = value
          const text = JSON.stringify(changed)
          let parsed = true
          try {
            parseExperiment(text)
          } catch {
            parsed = false
          }
          expect(
            validate(JSON.parse(text)),
            `${place.join('.')} = ${JSON.stringify(value)}\n${JSON.stringify(validate.errors)}`,
          ).toBe(parsed)
        },
      ),
      // The soak of laws tries more of them.
      { numRuns: { quick: 1_000, whole: 10_000 }[process.env['CHAOS_SOAK'] ?? ''] ?? 150 },
    )
  })
})

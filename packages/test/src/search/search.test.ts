import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blindSearch, idOf } from '../../test/blind.js'
import { byEffect, byKind, EFFECTS, subjectOf, type Program, type Sight } from '../../test/programs.js'
import { searched } from '../../test/searched.js'
import { isComplete } from './line.js'
import { chainOf, type Hit, type Subject } from './model.js'
import type { SearchResult } from './search.js'

const steps = fc.array(
  fc.record({
    operation: fc.constantFrom('a', 'b', 'c'),
    reaction: fc.constantFrom('ignore', 'stop', 'retry', 'fall back'),
  }),
  { minLength: 1, maxLength: 4 },
)
const programs = (kinds: readonly string[]): fc.Arbitrary<Program> => {
  const event = fc
    .tuple(fc.constantFrom('a', 'b', 'c', 'a elsewhere'), fc.constantFrom(1, 2, 3, 'any'), fc.constantFrom(...kinds))
    .map(([operation, call, kind]) => `${operation}#${call} ${kind}`)
  return fc.record({
    steps,
    bugs: fc.array(fc.array(event, { minLength: 1, maxLength: 2 }), { maxLength: 3 }),
  })
}

/** Three faults at once have a hundred times the sets of two. */
const depths = fc.oneof({ weight: 9, arbitrary: fc.constant(2) }, { weight: 1, arbitrary: fc.constant(3) })

type Sets = readonly (readonly Hit[])[]

/** Every set that a search reports, twins included. */
const reported = ({ findings }: SearchResult): Sets => findings.flatMap(({ hits, twins }) => [hits, ...twins])

/** What a search reports as a blind search does: each lasting hit as hits of the calls that it has hit. */
const reportedAsSingle = async (subject: Subject, result: SearchResult): Promise<Sets> =>
  Promise.all(reported(result).map((hits) => asSingle(subject, hits)))

async function asSingle(subject: Subject, hits: readonly Hit[]): Promise<readonly Hit[]> {
  const { reached } = await subject(hits)
  return hits.flatMap(({ point: first, kind, times }) =>
    times === undefined
      ? [{ point: first, kind }]
      : reached
          .filter(({ point }) => chainOf(point) === chainOf(first) && point.call >= first.call)
          .map(({ point }) => ({ point, kind })),
  )
}

/** The causes that a search does not report. */
async function missing(subject: Subject, result: SearchResult, causes: Sets): Promise<Sets> {
  const found = (await reportedAsSingle(subject, result)).map(idOf)
  return causes.filter((hits) => !found.includes(idOf(hits)))
}

/** What a search reports and is no cause. Lasting hits are more than a blind search tries. */
function surplus(result: SearchResult, causes: Sets): Sets {
  const known = causes.map(idOf)
  return reported(result).filter((hits) => !hits.some(({ times }) => times === 'always') && !known.includes(idOf(hits)))
}

describe('a search of a generated program', () => {
  it('says complete only if it found what a blind search finds, however the program tells kinds apart', () =>
    fc.assert(
      fc.asyncProperty(programs(Object.keys(EFFECTS)), depths, async (program, depth) => {
        const subject = subjectOf(program, byKind)
        const { causes } = await blindSearch(subject, depth)
        const result = await searched(subject, { depth })
        if (isComplete(result)) expect(await missing(subject, result, causes)).toEqual([])
        expect(surplus(result, causes)).toEqual([])
      }),
    ))

  it('is complete and finds exactly what a blind search finds when it infers nothing', () =>
    fc.assert(
      fc.asyncProperty(programs(Object.keys(EFFECTS)), depths, async (program, depth) => {
        const subject = subjectOf(program, byKind)
        const { causes } = await blindSearch(subject, depth)
        const result = await searched(subject, { depth, thorough: true })
        expect(isComplete(result)).toBe(true)
        expect(await missing(subject, result, causes)).toEqual([])
        expect(surplus(result, causes)).toEqual([])
      }),
    ))

  it('finds every cause, up to kinds of one effect, where a program sees effects alone', () =>
    fc.assert(
      fc.asyncProperty(programs(['lost', 'refused']), async (program) => {
        const subject = subjectOf(program, byEffect)
        const { causes } = await blindSearch(subject, 2)
        const result = await searched(subject)
        const found = (await reportedAsSingle(subject, result)).map((hits) => placesOf(hits, byEffect))
        expect(causes.filter((hits) => !found.includes(placesOf(hits, byEffect)))).toEqual([])
      }),
    ))

  it('reports sets from which no hit can be taken, each of which breaks the program again', () =>
    fc.assert(
      fc.asyncProperty(programs(Object.keys(EFFECTS)), depths, async (program, depth) => {
        const subject = subjectOf(program, byKind)
        for (const hits of reported(await searched(subject, { depth }))) {
          expect(await subject(hits)).toMatchObject({ outcome: { verdict: 'breaks' }, landed: hits.map(() => true) })
          for (const hit of hits)
            expect((await subject(hits.filter((one) => one !== hit))).outcome).toEqual({ verdict: 'holds' })
        }
      }),
    ))
})

const placesOf = (hits: readonly Hit[], sight: Sight): string =>
  hits
    .map(({ point, kind }) => `${chainOf(point)} ${point.call} ${sight(kind)}`)
    .sort()
    .join(' + ')

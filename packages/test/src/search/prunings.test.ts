import { describe, expect, it } from 'vitest'
import { searched } from '../../test/searched.js'
import { twinText } from './finding.js'
import { isComplete, lineOf } from './line.js'
import { hitText, type Hit, type Reached, type Run, type Subject } from './model.js'
import type { SearchResult } from './search.js'

/** Makes a call in a scope, and returns the kind of fault that hits it. */
type Call = (scope: string, operation: string) => string | undefined

/** A subject that makes calls by a function, which returns why it breaks. Kinds that begin with `refused` keep calls from the target. */
function calling(kinds: readonly string[], work: (call: Call) => string | undefined): Subject {
  return (plan) => {
    const reached: Reached[] = []
    const passed: string[] = []
    const landed = plan.map(() => false)
    const counts = new Map<string, number>()
    const call: Call = (scope, operation) => {
      const number = (counts.get(scope + operation) ?? 0) + 1
      counts.set(scope + operation, number)
      reached.push({ point: { scope, target: 'target', operation, call: number }, kinds })
      const at = plan.findIndex(
        ({ point, times }) =>
          point.scope === scope &&
          point.operation === operation &&
          (times === 'always' ? point.call <= number : point.call === number),
      )
      if (at !== -1) landed[at] = true
      const kind = plan[at]?.kind
      if (kind?.startsWith('refused') !== true) passed.push(operation)
      return kind
    }
    const reason = work(call)
    const run: Run = {
      ...{ reached, passed, landed, answer: '', ms: 0 },
      outcome: reason === undefined ? { verdict: 'holds' } : { verdict: 'breaks', reason },
    }
    return Promise.resolve(run)
  }
}

const texts = ({ findings }: SearchResult): readonly string[] =>
  findings.map(({ hits }) => hits.map((hit: Hit) => hitText(hit)).join(' + '))

describe('the pruning', () => {
  it('by reach leaves out calls that are not made under the other faults', async () => {
    const subject = calling(['refused'], (call) => {
      if (call('s', 'a') !== undefined) return undefined
      return call('s', 'b') === undefined ? undefined : call('s', 'c') && 'lost'
    })
    const result = await searched(subject)
    expect(lineOf(result)).toBe(
      '3 points × 1 kind, depth 2: 3 of 6 sets run; 3 pruned (3 reach); audit 2 of 2 agree; 0 ms; complete',
    )
    expect(texts(result)).toEqual(['s: target.b #1: refused + s: target.c #1: refused'])
  })

  it('by supersets leaves out what contains a finding', async () => {
    const subject = calling(['refused'], (call) => {
      const isLost = [call('s', 'a'), call('s', 'b'), call('s', 'c')].map((kind) => kind !== undefined)
      return isLost[0] === true ? 'a is lost' : undefined
    })
    const result = await searched(subject)
    expect(lineOf(result)).toBe(
      '3 points × 1 kind, depth 2: 4 of 6 sets run; 2 pruned (2 supersets); audit 1 of 1 agree; 0 ms; complete',
    )
  })

  it('by equal kinds leaves out what grows from the second of two kinds that look alike, and says that it infers', async () => {
    const subject = calling(['refused', 'refused late'], (call) => {
      call('s', 'a')
      call('s', 'b')
      return undefined
    })
    const result = await searched(subject)
    expect(lineOf(result)).toBe(
      '2 points × 2 kinds, depth 2: 5 of 8 sets run; 3 pruned (3 equal kinds); audit 1 of 1 agree; 0 ms; complete but for 3 inferred sets',
    )
    expect(isComplete(result)).toBe(false)
    expect(lineOf(await searched(subject, { thorough: true }))).toBe(
      '2 points × 2 kinds, depth 2: 8 of 8 sets run; 0 ms; complete',
    )
  })

  it('by equal kinds is turned off when a set shows something else than its twin, and its sets are run', async () => {
    const subject = calling(['refused', 'refused late'], (call) => {
      const [a, b] = [call('s', 'a'), call('s', 'b')]
      return a === undefined || b === undefined || a === b ? undefined : 'the two differ'
    })
    const result = await searched(subject)
    expect(lineOf(result)).toBe(
      '2 points × 2 kinds, depth 2: 8 of 8 sets run; audit 0 of 1 agree; pruning by equal kinds turned off; 0 ms; complete',
    )
    expect(result.findings).toHaveLength(1)
    expect(result.findings[0]?.twins).toHaveLength(1)
  })

  it('by the retry chain leaves out all tries of a call one by one, since it has run all at once', async () => {
    const subject = calling(['refused'], (call) => {
      for (let tries = 0; tries < 3; tries += 1) if (call('s', 'a') === undefined) return undefined
      return 'gave up'
    })
    expect(texts(await searched(subject))).toEqual(['s: target.a #1 and all later calls: refused'])
    const result = await searched(subject, { depth: 3 })
    expect(texts(result)).toEqual(['s: target.a #1 and all later calls: refused'])
    expect(lineOf(result)).toBe(
      '3 points × 1 kind, depth 3: 3 of 11 sets run; 8 pruned (4 reach, 3 overlaps, 1 retry chain); audit 3 of 3 agree; 0 ms; complete',
    )
  })

  it('by the retry chain runs tries with several kinds, even if one of them breaks the test at the first try', async () => {
    const subject = calling(['lost', 'refused'], (call) => {
      const tries: string[] = []
      for (let kind = call('s', 'a'); kind !== undefined && tries.length < 3; kind = call('s', 'a')) tries.push(kind)
      return tries.includes('lost') ? 'lost at some try' : undefined
    })
    const { findings } = await searched(subject)
    expect(findings.map(({ hits }) => hits.map(hitText))).toEqual([['s: target.a #1: lost']])
    expect(findings.flatMap((finding) => finding.twins.map((twin) => twinText(twin, finding)))).toEqual([
      's: target.a #1: refused and s: target.a #2: lost',
    ])
  })

  it('by nodes takes scopes for independent, if asked to', async () => {
    const subject = calling(['refused'], (call) => {
      call('s', 'a')
      call('t', 'b')
      return undefined
    })
    expect(lineOf(await searched(subject))).toContain('3 of 3 sets run')
    expect(lineOf(await searched(subject, { nodeRule: true }))).toBe(
      '2 points × 1 kind, depth 2: 2 of 3 sets run; 1 pruned (1 nodes); audit 1 of 1 agree; 0 ms; complete but for 1 inferred set',
    )
  })
})

describe('the search', () => {
  it('runs first the sets that hit calls made only under faults', async () => {
    const plans: string[] = []
    const subject = calling(['refused'], (call) => {
      call('s', 'a')
      if (call('s', 'b') !== undefined) call('s', 'undo b')
      call('s', 'c')
      return undefined
    })
    await searched((plan) => {
      if (plan.length === 2) plans.push(plan.map(({ point }) => point.operation).join(' + '))
      return subject(plan)
    })
    expect(plans[0]).toBe('b + undo b')
  })

  it('tells of a set whose call is not made again, and is not complete', async () => {
    let runs = 0
    const subject: Subject = (plan) => {
      runs += 1
      // From the third run on, b is called in no run with a fault.
      return calling(['refused'], (call) => {
        call('s', 'a')
        if (plan.length === 0 || runs < 3) call('s', 'b')
        return undefined
      })(plan)
    }
    const result = await searched(subject, { depth: 1 })
    expect(isComplete(result)).toBe(false)
    expect(lineOf(result)).toContain('1 set not reached again')
  })
})

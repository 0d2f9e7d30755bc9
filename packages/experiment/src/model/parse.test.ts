import { isChaosError } from '@chaos/core'
import { describe, expect, it } from 'vitest'
import { parseExperiment } from './parse.js'
import { withVariables } from './variables.js'

const WHOLE = `
title: delay the bus
steadyState:
  probes:
    - name: bus lag
      type: prometheus
      url: \${PROMETHEUS}
      query: histogram_quantile(0.95, rate(lag_bucket[5s]))
      tolerance: { atMost: 100 }
    - { name: health, type: http, url: "\${APP}/healthz" }
    - { name: loop, type: metric, url: "\${APP}/metrics", series: hz, labels: { worker: loop }, tolerance: { atLeast: 95 } }
method:
  - inject: { target: eventbus, fault: delay-events, options: { delayMs: 1000 }, leaseMs: 12000, only: "journal:*" }
  - waitMs: 500
alerts:
  mustFire:
    - { name: LagHigh, withinMs: 10000 }
`
const VARIABLES = { PROMETHEUS: 'http://127.0.0.1:9090', APP: 'http://127.0.0.1:3000' }

/** The problems that parsing reports, one a line. */
function problemsOf(text: string, variables?: Readonly<Record<string, string>>): string[] {
  try {
    parseExperiment(text, { filename: 'e.yaml', ...(variables === undefined ? {} : { variables }) })
  } catch (error) {
    if (isChaosError(error, 'CHAOS_INVALID_EXPERIMENT')) return error.message.split('\n')
    throw error
  }
  return []
}

describe('an experiment in a file', () => {
  it('is read, with its defaults and its variables filled in', () => {
    const experiment = parseExperiment(WHOLE, { variables: VARIABLES })
    expect(experiment).toMatchObject({
      steadyState: {
        holdForMs: 5_000,
        timeoutMs: 30_000,
        probes: [
          { url: 'http://127.0.0.1:9090' },
          { url: 'http://127.0.0.1:3000/healthz' },
          { labels: { worker: 'loop' } },
        ],
      },
      method: [{ inject: { leaseMs: 12_000, options: { delayMs: 1_000 } } }, { waitMs: 500 }],
      alerts: { mustFire: [{ name: 'LagHigh' }], mayFire: [], mustNotFire: [], resolveWithinMs: 60_000 },
      recovery: { withinMs: 60_000 },
      guardrails: [],
      rollbacks: [],
      afterwards: [],
    })
  })

  it('may break what is done for chosen requests alone', () => {
    const broken = (scope: string): string => WHOLE.replace('only: "journal:*"', `scope: ${scope}`)
    const { method } = parseExperiment(broken("{ route: 'GET /items/*', user: [alice, 'b*'], sessions: 0.1 }"))
    expect(method[0]).toMatchObject({
      inject: { scope: { route: 'GET /items/*', user: ['alice', 'b*'], sessions: 0.1 } },
    })
    expect(problemsOf(broken('{ usr: alice }')).join('\n')).toContain('without "usr". Did you mean "user"?')
    expect(problemsOf(broken('{ sessions: 2 }')).join('\n')).toContain('a number from 0 to 1')
  })

  it('may be JSON as well', () => {
    const json = JSON.stringify(parseExperiment(WHOLE))
    expect(parseExperiment(json)).toEqual(parseExperiment(WHOLE))
    expect(problemsOf('{\n  "title": "x",\n  "method": []\n}')).toEqual([
      'e.yaml:1:1: steadyState: The field "steadyState" is missing.',
      'e.yaml:3:3: method: Expected `method` to be a list of at least one step, got a list.',
    ])
  })

  it('keeps variables for the run where none are given', () => {
    expect(parseExperiment(WHOLE).steadyState.probes[0]).toMatchObject({ url: '${PROMETHEUS}' })
  })
})

describe('what is wrong is reported with its place, what was expected and what came', () => {
  it.each([
    [
      'a misspelt key, with the one that was meant',
      ['method:', '  holdFroMs: 1\nmethod:'],
      'e.yaml:12:3: steadyState.holdFroMs: Unknown field "holdFroMs". Did you mean "holdForMs"?',
    ],
    [
      'a missing key, with what it must be',
      ['title: delay the bus', 'description: no title'],
      'e.yaml:2:1: title: The field "title" is missing. It must be a text.',
    ],
    [
      'a wrong type',
      ['withinMs: 10000', 'withinMs: soon'],
      'e.yaml:17:24: alerts.mustFire.0.withinMs: Expected `withinMs` to be a number of ms from 0 to 86400000, got `"soon"`.',
    ],
    [
      'a number out of bounds',
      ['leaseMs: 12000', 'leaseMs: -1'],
      'leaseMs: Expected `leaseMs` to be a number of ms from 0 to 86400000, got `-1`.',
    ],
    ['a share beyond 1', ['leaseMs: 12000', 'rate: 2'], 'rate: Expected `rate` to be a number from 0 to 1, got `2`.'],
    [
      'an unknown type of probe',
      ['type: http', 'type: htpp'],
      'e.yaml:10:23: steadyState.probes.1.type: Expected `type` to be one of the types `http`, `metric`, `prometheus`, got `"htpp"`.',
    ],
    ['a misspelt key of a probe', ['series: hz', 'serie: hz'], 'steadyState.probes.2.serie: Unknown field'],
    ['a misspelt key of a step', ['target: eventbus', 'taget: eventbus'], 'method.0.inject.taget: Unknown field'],
    [
      'a misspelt step',
      ['waitMs: 500', 'waitMS: 500'],
      'method.1.waitMS: Unknown field "waitMS". Did you mean "waitMs"?',
    ],
    [
      'bounds without a bound',
      ['{ atMost: 100 }', '{}'],
      'Expected `tolerance` to be at least one bound: `below`, `above`, `atLeast`, `atMost` or `equals`, got an object.',
    ],
    [
      'a list in the place of an object',
      ['options: { delayMs: 1000 }', 'options: []'],
      'method.0.inject.options: Expected `options` to be an object, got a list.',
    ],
    [
      'a pattern that could take forever or means nothing here',
      ['labels: { worker: loop }', 'labelsMatch: { worker: "(?=a)b" }'],
      'to be a regular expression that can be matched without backtracking (unsupported pattern: `(?` other than `(?:`, such as lookaround, at character 2), got `"(?=a)b"`.',
    ],
    [
      'bounds that contradict each other',
      ['{ atMost: 100 }', '{ atMost: 100, above: 100 }'],
      'steadyState.probes.0.tolerance: The bounds contradict each other: no number is within all of them.',
    ],
    [
      'bounds of a status that no status keeps',
      ['"${APP}/healthz" }', '"${APP}/healthz", tolerance: { atLeast: 95 } }'],
      'The bounds accept neither of the possible values 1 (expected status) and 0 (another status).',
    ],
    [
      'bounds of a status that every status keeps',
      ['"${APP}/healthz" }', '"${APP}/healthz", tolerance: { atMost: 5 } }'],
      'The bounds accept both of the possible values 1 (expected status) and 0 (another status).',
    ],
    [
      'an alert twice',
      [
        '    - { name: LagHigh, withinMs: 10000 }',
        '    - { name: LagHigh, withinMs: 10000 }\n    - { name: LagHigh, withinMs: 1 }',
      ],
      'alerts.mustFire.1.name: The alert "LagHigh" is listed twice with the same labels. Remove one entry.',
    ],
    [
      'an address that nobody can ask',
      ['"${APP}/healthz"', '"http://[::1/"'],
      'Expected `url` to be an address that `fetch` accepts (host, no password), got `"http://[::1/"`.',
    ],
    [
      'a key that checks pass over',
      ['labels: { worker: loop }', 'labels: { __proto__: loop }'],
      'The key "__proto__" is reserved in JavaScript. Remove it.',
    ],
    [
      'too long a name',
      ['name: health', `name: ${'x'.repeat(501)}`],
      'Expected `name` to be a text of at most 500 characters',
    ],
    [
      'too many probes',
      [
        'method:',
        `guardrails: [${Array.from({ length: 101 }, (_, n) => `{ name: g${n}, type: http, url: "http://a" }`).join(', ')}]\nmethod:`,
      ],
      'Expected `guardrails` to be a list of at most 100 probes',
    ],
    [
      'an address that is none',
      ['"${APP}/healthz"', 'localhost/healthz'],
      'Expected `url` to be an address that begins with http:// or https://, got `"localhost/healthz"`.',
    ],
    [
      'a name twice',
      ['name: health', 'name: bus lag'],
      'e.yaml:10:9: steadyState.probes.1.name: The name "bus lag" is used twice. Give each probe its own name.',
    ],
    [
      'a function where only data can stand',
      ['type: http', 'type: function'],
      'Expected `type` to be one of the types `http`, `metric`, `prometheus`, got `"function"`.',
    ],
  ])('%s', (_title, [before = '', after = ''], expected) => {
    expect(problemsOf(WHOLE.replace(before, after)).join('\n')).toContain(expected)
  })

  it('a probe that is named and not there', () => {
    expect(problemsOf(`${WHOLE}recovery: { duringFault: { probes: [helth], withinMs: 1 } }`)).toEqual([
      'e.yaml:18:37: recovery.duringFault.probes.0: Unknown steady-state probe "helth". Did you mean "health"?',
    ])
  })

  it('an unknown variable, with the one that was meant', () => {
    expect(problemsOf(WHOLE, { PROMETHUS: 'http://a', APP: 'http://b' })).toEqual([
      'e.yaml:7:12: Unknown variable "PROMETHEUS". Did you mean "PROMETHUS"?',
    ])
  })

  it('text that is not YAML', () => {
    expect(problemsOf('title: [')).toEqual([expect.stringMatching(/^e\.yaml:1:\d+: /)])
    expect(problemsOf('just a text')).toEqual([expect.stringContaining('e.yaml:1:1: Expected')])
    expect(problemsOf('')).toEqual([expect.stringContaining('e.yaml:1:1: Expected')])
  })

  it('everything at once, in the order of the file', () => {
    const problems = problemsOf(
      'tittle: x\nstaedyState: {}\nmethod:\n  - waitMs: no\n    more: 1\n  - inject: { target: a, fault: b, leaseMS: 1, evry: 2 }\nalerts: { mustFire: [{ name: A }] }\n',
    )
    expect(problems.map((line) => line.split(': ')[0])).toEqual([
      'e.yaml:1:1',
      'e.yaml:1:1',
      'e.yaml:1:1',
      'e.yaml:2:1',
      'e.yaml:4:5',
      'e.yaml:5:5',
      'e.yaml:6:36',
      'e.yaml:6:48',
      'e.yaml:7:22',
    ])
    expect(problems).toContain('e.yaml:6:36: method.1.inject.leaseMS: Unknown field "leaseMS". Did you mean "leaseMs"?')
  })

  it('says where an alias stands for nothing', () => {
    expect(problemsOf('title: x\nalerts:\n  mayFire: [*Restarted]\n')).toEqual([
      'e.yaml:3:13: The alias `*Restarted` has no anchor `&Restarted` before it. Put a text that begins with `*` in quotes.',
    ])
  })

  it('refuses aliases that stand for more than anybody would write', () => {
    const lines = [
      'a0: &a0 [x, x]',
      ...Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}, *a${n}]`),
    ]
    expect(problemsOf(lines.join('\n'))).toEqual([expect.stringContaining('cannot be resolved') as string])
  })

  it.each([
    ['a file that is too long', 'x'.repeat(250_001), 'e.yaml: The experiment has 250001 characters, more than 250000.'],
    ['brackets without end', '['.repeat(250_000), 'e.yaml: The experiment is nested deeper than 100 levels.'],
    ['as many brackets as the stack just bears', '['.repeat(4_000), 'nested deeper than 100 levels'],
    ['levels that brackets in texts seem to close', '{"]}": '.repeat(4_000), 'nested deeper than 100 levels'],
    ['lists in lists of one line', '- '.repeat(4_000), 'nested deeper than 100 levels'],
    ['nesting without end', `title: ${'['.repeat(5_000)}${']'.repeat(5_000)}`, 'nested deeper than 100 levels'],
    ['nesting', `title: ${'['.repeat(40)}${']'.repeat(40)}`, 'nested deeper than 30 levels'],
    ['keys without end', `title: x\n? ${'k'.repeat(2_000)}\n: y\n`, 'A key has 2000 characters, more than 1000.'],
    [
      'more aliases than anybody writes',
      `a: &a x\nb: [${'*a, '.repeat(5_000)}]`,
      'The experiment has more than 100 aliases.',
    ],
    [
      'more keys than anybody writes',
      Array.from({ length: 20_000 }, (_, n) => `k${n}: 1`).join('\n'),
      'more than 10000 lines and commas',
    ],
    ['an alias of itself', 'title: &a [*a]', ''],
    ['more values than anybody writes', `title: [${'1,'.repeat(30_000)}]`, 'more than 10000 lines and commas'],
    [
      'more problems than anybody reads',
      Array.from({ length: 300 }, (_, n) => `k${n}: 1`).join('\n'),
      'and 253 more problems',
    ],
  ])('refuses %s, at once', (_title, text, message) => {
    const startedAt = process.cpuUsage()
    const problems = problemsOf(text).join('\n')
    const { user } = process.cpuUsage(startedAt)
    expect(problems).toContain(message)
    expect(problems).not.toBe('')
    expect(problems.length).toBeLessThan(30_000)
    // A limit for what hangs, not a bar on speed.
    expect(user).toBeLessThan(20_000_000)
  })

  it('says when a value of a variable makes something that is not valid', () => {
    const experiment = parseExperiment(WHOLE)
    expect(() => withVariables(experiment, { ...VARIABLES, APP: 'ftp://a' })).toThrow(
      'Expected `url` to be an address that begins with http:// or https://, got `"ftp://a/healthz"`.',
    )
    expect(() => withVariables(experiment, { ...VARIABLES, APP: 'x'.repeat(10_001) })).toThrow(
      'The value of variable "APP" has 10001 characters, more than 10000.',
    )
    expect(withVariables(experiment, VARIABLES)).toEqual(parseExperiment(WHOLE, { variables: VARIABLES }))
  })
})

import { describe, expect, it } from 'vitest'
import { defineExperiment } from './define.js'
import type { ExperimentInput } from './experiment.js'

const input: ExperimentInput = {
  title: 'read the stock',
  steadyState: { probes: [{ name: 'stock', type: 'function', read: () => 7, tolerance: { above: 0 } }] },
  method: [{ inject: { target: 'shop', fault: 'empty-shelves' } }],
}

describe('an experiment in TypeScript', () => {
  it('is checked, and may hold functions', () => {
    const {
      steadyState: {
        probes: [probe],
      },
    } = defineExperiment({ ...input, rollbacks: [{ name: 'restock', type: 'function', run: () => undefined }] })
    expect(probe).toMatchObject({ type: 'function', read: expect.any(Function) as unknown })
  })

  it('takes a key that is undefined as not given', () => {
    expect(defineExperiment({ ...input, description: undefined })).toEqual(defineExperiment(input))
  })

  it('says everything that is wrong with it, and where', () => {
    const wrong = {
      ...input,
      titel: 'x',
      steadyState: { probes: [{ name: 'stock', type: 'function', read: 7, tolerance: { above: Number.NaN } }] },
    } as unknown as ExperimentInput
    expect(() => defineExperiment(wrong)).toThrow(
      expect.objectContaining({
        code: 'CHAOS_INVALID_EXPERIMENT',
        message: [
          'The experiment is not valid:',
          '  titel: Unknown field "titel". Did you mean "title"?',
          '  steadyState.probes.0.read: Expected `read` to be a function that returns a number, true or false, got `7`.',
          '  steadyState.probes.0.tolerance.above: Expected `above` to be a number, got `NaN`.',
        ].join('\n'),
      }) as Error,
    )
  })

  it('refuses a probe name that is used twice, also as a guardrail or afterwards', () => {
    const probe = { name: 'stock', type: 'function', read: () => 7, tolerance: { above: 0 } } as const
    expect(() => defineExperiment({ ...input, guardrails: [probe] })).toThrow(
      'guardrails.0.name: The name "stock" is used twice. Give each probe its own name.',
    )
    expect(() => defineExperiment({ ...input, afterwards: [probe] })).toThrow('afterwards.0.name')
  })

  const lost = { name: 'lost', type: 'http', url: 'http://app/lost', tolerance: { equals: 1 } } as const
  const calls = {
    name: 'calls',
    type: 'metric',
    url: 'http://app/metrics',
    series: 'calls',
    tolerance: { above: 0 },
  } as const
  const reset = { name: 'reset', type: 'http', url: 'http://app/reset' } as const
  it.each([
    [
      'a status that no answer has',
      { afterwards: [{ ...lost, status: 20 }] },
      'afterwards.0.status: Expected `status` to be a status from 100 to 599, got `20`.',
    ],
    [
      'a reading without any time',
      { afterwards: [{ ...lost, timeoutMs: 0 }] },
      'afterwards.0.timeoutMs: Expected `timeoutMs` to be a number of ms from 1 to 86400000, got `0`.',
    ],
    [
      'an action without any time',
      { rollbacks: [{ ...reset, timeoutMs: 0 }] },
      'rollbacks.0.timeoutMs: Expected `timeoutMs` to be a number of ms from 1 to 86400000, got `0`.',
    ],
    [
      'an address with a password',
      { afterwards: [{ ...lost, url: 'http://me:secret@app/' }] },
      'afterwards.0.url: Expected `url` to be an address that `fetch` accepts (host, no password)',
    ],
    [
      'an address with what is no variable',
      { afterwards: [{ ...lost, url: 'http://${APP-HOST}/' }] },
      'afterwards.0.url: Expected `url` to be an address that `fetch` accepts (host, no password), got `"http://${APP-HOST}/"`.',
    ],
    [
      'an address with a variable and what is none',
      { rollbacks: [{ ...reset, url: '${APP}/${PATH:-x}' }] },
      'rollbacks.0.url: Expected `url` to be an address that `fetch` accepts (host, no password)',
    ],
    [
      'labels that contradict a pattern',
      { afterwards: [{ ...calls, labels: { status: '200' }, labelsMatch: { status: '5..' } }] },
      'afterwards.0.labelsMatch.status: The pattern `5..` does not match `status: 200` in `labels`, so no series can match both.',
    ],
    [
      'labels of the whole that contradict a pattern',
      { guardrails: [{ ...calls, outOf: { series: 'calls', labels: { a: 'b' }, labelsMatch: { a: 'c' } } }] },
      'guardrails.0.outOf.labelsMatch.a: The pattern `c` does not match `a: b` in `labels`',
    ],
    [
      'a request that nobody can send',
      { rollbacks: [{ ...reset, method: 'GET', body: {} }] },
      'rollbacks.0: The request cannot be sent: Request with GET/HEAD method cannot have body.',
    ],
    [
      'a header that nobody can send',
      { rollbacks: [{ ...reset, headers: { 'not a header': 'x' } }] },
      'rollbacks.0: The request cannot be sent',
    ],
    [
      'the name of an alert as a label',
      { alerts: { mustFire: [{ name: 'Low', labels: { alertname: 'Low' }, withinMs: 1_000 }] } },
      'alerts.mustFire.0.labels.alertname: The label `alertname` repeats the name of the alert. Remove it.',
    ],
    [
      'the name of an alert that must not fire as a label',
      { alerts: { mustNotFire: [{ name: 'Low', labels: { alertname: 'Low' } }] } },
      'alerts.mustNotFire.0.labels.alertname: The label `alertname` repeats the name of the alert',
    ],
    [
      'an alert that may and must not fire',
      { alerts: { mayFire: ['A', 'B'], mustNotFire: ['B'] } },
      'alerts.mayFire.1: The alert "B" is also in `mustNotFire`, which ends the run',
    ],
    [
      'an alert that must and must not fire',
      { alerts: { mustFire: [{ name: 'A', labels: { severity: 'page' }, withinMs: 1 }], mustNotFire: ['A'] } },
      'alerts.mustFire.0: The alert "A" is also in `mustNotFire`, which ends the run',
    ],
    [
      'the name of an alert that may fire as a label',
      { alerts: { mayFire: ['A', { name: 'Low', labels: { alertname: 'Low' } }] } },
      'alerts.mayFire.1.labels.alertname: The label `alertname` repeats the name of the alert',
    ],
  ] as const)('refuses %s, which would show only once something is broken', (_title, more, problem) => {
    expect(() => defineExperiment({ ...input, ...(more as unknown as Partial<ExperimentInput>) })).toThrow(problem)
  })

  it('takes labels with a pattern that they match, variables in both, and requests with a body', () => {
    const experiment = {
      ...input,
      rollbacks: [{ ...reset, body: { all: true }, headers: { 'x-reason': '${WHY}' } }],
      afterwards: [
        { ...calls, labels: { a: 'b', c: '${C}' }, labelsMatch: { a: 'b.*', c: 'd' } },
        { ...lost, url: '${APP}/${PATH}' },
      ],
    }
    expect(defineExperiment(experiment as ExperimentInput)).toMatchObject(experiment)
  })

  it('refuses what is no experiment at all', () => {
    for (const value of [undefined, null, 7, [], 'x'])
      expect(() => defineExperiment(value as unknown as ExperimentInput)).toThrow(
        /Expected the experiment to be an object|The experiment is missing/,
      )
  })
})

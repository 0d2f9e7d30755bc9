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
    const { steadyState: { probes: [probe] } } = defineExperiment({ ...input, rollbacks: [{ name: 'restock', type: 'function', run: () => undefined }] })
    expect(probe).toMatchObject({ type: 'function', read: expect.any(Function) as unknown })
  })

  it('takes a key that is undefined as not given', () => {
    expect(defineExperiment({ ...input, description: undefined })).toEqual(defineExperiment(input))
  })

  it('says everything that is wrong with it, and where', () => {
    const wrong = { ...input, titel: 'x', steadyState: { probes: [{ name: 'stock', type: 'function', read: 7, tolerance: { above: Number.NaN } }] } } as unknown as ExperimentInput
    expect(() => defineExperiment(wrong)).toThrow(
      expect.objectContaining({
        code: 'CHAOS_INVALID_EXPERIMENT',
        message: [
          'The experiment is not valid:',
          '  titel: Expected one of `$schema`, `title`, `description`, `load`, `steadyState`, `method`, `expectedOutageMs`, `alerts`, `recovery`, `guardrails`, `rollbacks`, `afterwards`, got `titel`. Did you mean `title`?',
          '  steadyState.probes.0.read: Expected `read` to be a function that returns a number, true or false, got `7`.',
          '  steadyState.probes.0.tolerance.above: Expected `above` to be a number, got `NaN`.',
        ].join('\n'),
      }) as Error,
    )
  })

  it('refuses a probe name that is used twice, also as a guardrail or afterwards', () => {
    const probe = { name: 'stock', type: 'function', read: () => 7, tolerance: { above: 0 } } as const
    expect(() => defineExperiment({ ...input, guardrails: [probe] })).toThrow('guardrails.0.name: Expected a name of its own, got `stock` again.')
    expect(() => defineExperiment({ ...input, afterwards: [probe] })).toThrow('afterwards.0.name')
  })

  it('refuses what is no experiment at all', () => {
    for (const value of [undefined, null, 7, [], 'x']) expect(() => defineExperiment(value as unknown as ExperimentInput)).toThrow(/Expected an experiment/)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { schemaErrors } from '../../test/chaos-mesh/schemas.js'
import {
  chaosMeshYaml,
  lintChaosMesh,
  renderChaosMesh,
  runSelector,
  type ChaosMeshFault,
  type ChaosMeshStep,
} from './index.js'

const step = (changes: object = {}): ChaosMeshStep => ({
  runId: '3f1c9a7e5b2d4860a1c3e5f7',
  pods: ['shop/cart-1', 'shop/cart-0'],
  maxDurationMs: 300_000,
  fault: { action: 'pod-failure' },
  ...changes,
})
const stock = { target: ['depot/stock-0'], direction: 'both' } as const

const FAULTS: Readonly<Record<string, ChaosMeshFault>> = {
  'pod-kill': { action: 'pod-kill', gracePeriodSeconds: 30 },
  'container-kill': { action: 'container-kill', containers: ['proxy'] },
  'pod-failure': { action: 'pod-failure' },
  partition: { action: 'partition', ...stock },
  'partition-outside': {
    action: 'partition',
    direction: 'to',
    externalTargets: ['payments.example.com', '192.0.2.0/24'],
  },
  delay: { action: 'delay', delayMs: 100, jitterMs: 10, correlation: 0.25, ...stock },
  loss: { action: 'loss', rate: 0.07 },
  duplicate: { action: 'duplicate', rate: 0.5, ...stock },
  corrupt: { action: 'corrupt', rate: 0.001, correlation: 0.5 },
  bandwidth: { action: 'bandwidth', bytesPerSecond: 131_072, limitBytes: 20_000, bufferBytes: 10_000 },
}
const parsed = (yaml: string, version: '1.1' | '1.2' = '1.2'): readonly unknown[] =>
  parseAllDocuments(yaml, { version }).map((document) => document.toJS() as unknown)

describe('the rendering', () => {
  it.each(Object.entries(FAULTS))('of %s is as it was', async (name, fault) => {
    const yaml = chaosMeshYaml(renderChaosMesh(step({ fault, irreversible: 'allowed' })))
    await expect(yaml).toMatchFileSnapshot(`../../test/chaos-mesh/goldens/${name}.yaml`)
  })

  const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/)
  const pods = fc.uniqueArray(
    fc.tuple(name, name).map(([namespace, pod]) => `${namespace}/${pod}`),
    { minLength: 1, maxLength: 12 },
  )
  const steps = fc.record({
    runId: fc.stringMatching(/^[\w-]{1,100}$/),
    pods,
    maxDurationMs: fc.integer({ min: 1_000, max: 86_400_000 }),
    irreversible: fc.constant('allowed'),
    fault: fc.oneof(
      fc.constantFrom(...Object.values(FAULTS)),
      fc.record({
        action: fc.constantFrom('loss', 'duplicate', 'corrupt'),
        rate: fc.double({ min: 0.000_001, max: 1, noNaN: true }),
        correlation: fc.double({ min: 0, max: 1, noNaN: true }),
        target: pods,
        direction: fc.constantFrom('to', 'from', 'both'),
      }),
      fc.record({
        action: fc.constant('delay'),
        delayMs: fc.integer({ min: 1, max: 3_600_000 }),
        jitterMs: fc.integer({ min: 0, max: 3_600_000 }),
      }),
    ),
  }) as fc.Arbitrary<ChaosMeshStep>

  it('is valid and safe for every valid step, and survives YAML of both versions', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const manifests = renderChaosMesh(given)
        for (const manifest of manifests) {
          expect(schemaErrors(manifest)).toEqual([])
          expect(lintChaosMesh(manifest)).toEqual([])
        }
        expect(parsed(chaosMeshYaml(manifests), '1.1')).toEqual(manifests)
        expect(parsed(chaosMeshYaml(manifests), '1.2')).toEqual(manifests)
      }),
    )
  })

  it('selects each pod of the step once, in the object of its namespace, and no other', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const manifests = renderChaosMesh(given)
        const selected = manifests.flatMap(({ metadata, spec }) => {
          expect(spec.mode).toBe('all')
          expect(Object.keys(spec.selector)).toEqual(['pods'])
          return Object.entries(spec.selector.pods).flatMap(([namespace, names]) => {
            expect(namespace).toBe(metadata.namespace)
            return names.map((pod) => `${namespace}/${pod}`)
          })
        })
        expect(selected.sort()).toEqual([...given.pods].sort())
      }),
    )
  })

  it('depends on which pods are listed, not on their order or number', () => {
    expect(renderChaosMesh(step({ pods: ['shop/cart-0', 'shop/cart-1', 'shop/cart-0'] }))).toEqual(
      renderChaosMesh(step()),
    )
  })

  it('names objects by step and run, so that two of them do not replace each other', () => {
    const nameOf = (changes: object): string | undefined => renderChaosMesh(step(changes))[0]?.metadata.name
    const names = [{}, { name: 'fail-again' }, { runId: 'another-run' }, { fault: FAULTS['loss'] }].map(nameOf)
    expect(new Set(names).size).toBe(4)
  })

  it.each(['3f1c9a7e5b2d4860a1c3e5f7', '-begins-with-a-dash', 'ends_with_', 'x'.repeat(100)])(
    'says the run in a label that Kubernetes takes, and in full: %s',
    (runId) => {
      const { labels, annotations, name } = renderChaosMesh(step({ runId }))[0]?.metadata ?? {}
      const [key = '', value = ''] = runSelector(runId).split('=')
      expect(value).toMatch(/^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/)
      expect(labels?.[key]).toBe(value)
      expect(annotations?.[key]).toBe(runId)
      expect(name).toMatch(/^[a-z0-9-]{1,63}$/)
    },
  )

  it('keeps texts that YAML takes for something else', () => {
    const manifests = renderChaosMesh(
      step({ runId: '1e3', pods: ['no/1e3', 'no/y', 'no/0x1f', 'no/0o7', '0o7/0o7', '0/1.5', 'constructor/null'] }),
    )
    for (const version of ['1.1', '1.2'] as const) expect(parsed(chaosMeshYaml(manifests), version)).toEqual(manifests)
  })
})

describe('a step', () => {
  it.each([FAULTS['pod-kill'], FAULTS['container-kill']])(
    'that kills is refused unless it allows that: %j',
    (fault) => {
      for (const changes of [{}, { irreversible: 'refused' as const }])
        expect(() => renderChaosMesh(step({ fault, ...changes }))).toThrow(
          expect.objectContaining({
            code: 'CHAOS_FLEET_IRREVERSIBLE',
            message: expect.stringContaining("irreversible: 'allowed'") as string,
          }),
        )
    },
  )

  it.each([
    ['no pods', { pods: [] }, '`pods` of a Chaos Mesh step to have at least one'],
    ['a pod without a namespace', { pods: ['cart-0'] }, '`namespace/name`'],
    ['a pod with a glob', { pods: ['shop/cart-*'] }, '`namespace/name`'],
    ['a pod that no cluster can have', { pods: ['shop/cart..0'] }, '`namespace/name`'],
    ['another such pod', { pods: ['shop/cart.-0'] }, '`namespace/name`'],
    ['a pod with a long name', { pods: [`shop/${'a'.repeat(254)}`] }, '`namespace/name`'],
    ['too many pods', { pods: Array.from({ length: 1_001 }, (_, n) => `shop/cart-${n}`) }, 'at most 1000 pods'],
    ['no duration', { maxDurationMs: undefined }, '`maxDurationMs`'],
    ['a duration of more than a day', { maxDurationMs: 86_400_001 }, '`maxDurationMs`'],
    ['a part of a ms', { maxDurationMs: 1_000.5 }, '`maxDurationMs`'],
    ['a run id with a space', { runId: 'a run' }, '`runId`'],
    ['a name that is no DNS label', { name: 'Cut' }, '`name`'],
    ['an unknown option', { pod: 'x' }, 'Unknown option "pod" of a Chaos Mesh step'],
    ['an unknown action', { fault: { action: 'pod-failur' } }, 'Did you mean "pod-failure"'],
    ['an inherited name as action', { fault: { action: 'constructor' } }, 'Unknown action "constructor"'],
    ['no action', { fault: {} }, 'Unknown action'],
    ['an option of another action', { fault: { action: 'pod-failure', rate: 1 } }, 'chaos-mesh/pod-failure'],
    ['a share of nothing', { fault: { action: 'loss', rate: 0 } }, '`rate` of chaos-mesh/loss'],
    ['a percentage', { fault: { action: 'loss', rate: 7 } }, '`rate` of chaos-mesh/loss'],
    ['a delay of nothing', { fault: { action: 'delay', delayMs: 0 } }, '`delayMs` of chaos-mesh/delay'],
    ['a delay of no stated length', { fault: { action: 'delay' } }, '`delayMs` of chaos-mesh/delay'],
    ['a partition without a direction', { fault: { action: 'partition', target: ['a/b'] } }, '`direction`'],
    ['a partition from everything', { fault: { action: 'partition', direction: 'to' } }, 'liveness probes'],
    ['an empty peer', { fault: { action: 'partition', direction: 'to', target: [] } }, '`target`'],
    [
      'the whole internet as a peer',
      { fault: { action: 'partition', direction: 'to', externalTargets: ['0.0.0.0/0'] } },
      'an IPv4 address or range, or a domain name',
    ],
    ...['999.1.1.1', '1.2.3.04', 'a..example', 'example.', '-a.example'].map((address): [string, object, string] => [
      `${address} as a peer`,
      { fault: { action: 'partition', direction: 'to', externalTargets: [address] } },
      'an IPv4 address or range, or a domain name',
    ]),
    ['a loss from nowhere', { fault: { action: 'loss', rate: 1, direction: 'from' } }, '`target` of chaos-mesh/loss'],
    [
      'a loss from outside',
      { fault: { action: 'loss', rate: 1, direction: 'from', externalTargets: ['192.0.2.1'] } },
      '`direction` of chaos-mesh/loss',
    ],
    [
      'a bucket that holds no frame',
      { fault: { action: 'bandwidth', bytesPerSecond: 1, limitBytes: 100, bufferBytes: 10_000 } },
      '`limitBytes`',
    ],
    [
      'a kill of no container',
      { irreversible: 'allowed', fault: { action: 'container-kill', containers: [] } },
      '`containers`',
    ],
  ])('with %s is refused', (_title, changes, message) => {
    expect(() => renderChaosMesh(step(changes))).toThrow(
      expect.objectContaining({
        code: 'CHAOS_INVALID_OPTION',
        message: expect.stringContaining(message) as string,
      }),
    )
  })
})

import { describe, expect, it } from 'vitest'
import { schemaErrors } from '../../test/chaos-mesh/schemas.js'
import { lintChaosMesh } from './lint-chaos-mesh.js'

const pods = { pods: { shop: ['cart-0'] } }
const manifest = (kind: string, spec: object, name = 'x'): unknown =>
  JSON.parse(
    JSON.stringify({
      apiVersion: 'chaos-mesh.org/v1alpha1',
      kind,
      metadata: { name },
      spec: { mode: 'all', selector: pods, duration: '1m', ...spec },
    }),
  )
const podChaos = (spec: object, name?: string): unknown =>
  manifest('PodChaos', { action: 'pod-failure', ...spec }, name)
const networkChaos = (spec: object): unknown => manifest('NetworkChaos', spec)
const cut = { action: 'partition', direction: 'to', target: { mode: 'all', selector: pods } }
const wherever = (given: unknown): readonly string[] => lintChaosMesh(given).map(({ path }) => path)

describe('the lint', () => {
  it.each([
    ['a missing duration', podChaos({ duration: undefined }), 'spec.duration'],
    ['a duration without a unit', podChaos({ duration: '60' }), 'spec.duration'],
    ['a duration in words', podChaos({ duration: 'five minutes' }), 'spec.duration'],
    ['a duration of nothing', podChaos({ duration: '0s' }), 'spec.duration'],
    ['a negative duration', podChaos({ duration: '-1m' }), 'spec.duration'],
    ['an empty selector', podChaos({ selector: {} }), 'spec.selector'],
    ['a selector of a whole namespace', podChaos({ selector: { namespaces: ['shop'] } }), 'spec.selector'],
    ['a selector with empty criteria', podChaos({ selector: { labelSelectors: {} } }), 'spec.selector'],
    ['a namespace without pods', podChaos({ selector: { pods: { shop: [] } } }), 'spec.selector.pods'],
    ['900 percent of the pods', podChaos({ mode: 'fixed-percent', value: '900' }), 'spec.value'],
    ['a share without a value', podChaos({ mode: 'random-max-percent' }), 'spec.value'],
    ['a number of pods that is none', podChaos({ mode: 'fixed', value: 'two' }), 'spec.value'],
    ['a kill of no container', podChaos({ action: 'container-kill' }), 'spec.containerNames'],
    ['a kill of an empty list', podChaos({ action: 'container-kill', containerNames: [] }), 'spec.containerNames'],
    ['a name in capitals', podChaos({}, 'Fail_Cart'), 'metadata.name'],
    ['a name with an empty part', podChaos({}, 'fail..cart'), 'metadata.name'],
    ['a delay without its block', networkChaos({ action: 'delay' }), 'spec.delay'],
    ['a loss without its block', networkChaos({ action: 'loss', delay: { latency: '1s' } }), 'spec.loss'],
    ['a netem of nothing', networkChaos({ action: 'netem' }), 'spec.action'],
    ['a latency without a unit', networkChaos({ action: 'delay', delay: { latency: '100' } }), 'spec.delay.latency'],
    ['a loss that is no number', networkChaos({ action: 'loss', loss: { loss: 'half' } }), 'spec.loss.loss'],
    ['a loss of 250 percent', networkChaos({ action: 'loss', loss: { loss: '250' } }), 'spec.loss.loss'],
    [
      'a correlation that is no number',
      networkChaos({ action: 'corrupt', corrupt: { corrupt: '1', correlation: 'x' } }),
      'spec.corrupt.correlation',
    ],
    [
      'a rate in bits',
      networkChaos({ action: 'bandwidth', bandwidth: { rate: '1mbit', limit: 9000, buffer: 9000 } }),
      'spec.bandwidth.rate',
    ],
    ['a partition without a direction', networkChaos({ ...cut, direction: undefined }), 'spec.direction'],
    ['a partition from everything', networkChaos({ ...cut, target: undefined }), 'spec.target'],
    [
      'a partition from a whole namespace',
      networkChaos({ ...cut, target: { mode: 'all', selector: {} } }),
      'spec.target.selector',
    ],
    [
      'a delay from nowhere',
      networkChaos({ action: 'delay', delay: { latency: '1s' }, direction: 'from' }),
      'spec.target',
    ],
    [
      'a delay from outside',
      networkChaos({
        action: 'delay',
        delay: { latency: '1s' },
        direction: 'both',
        target: cut.target,
        externalTargets: ['192.0.2.1'],
      }),
      'spec.direction',
    ],
  ])('finds %s, which the schema allows', (_title, given, path) => {
    expect(schemaErrors(given)).toEqual([])
    expect(wherever(given)).toEqual([path])
  })

  it('asks for no duration of what ends by itself', () => {
    expect(lintChaosMesh(podChaos({ action: 'pod-kill', duration: undefined }))).toEqual([])
  })

  it('says what happens and what to write', () => {
    expect(lintChaosMesh(podChaos({ duration: undefined, selector: {} }))).toEqual([
      {
        path: 'spec.duration',
        message: 'Missing: the fault lasts until somebody deletes the object. Set it, as in `5m`.',
      },
      {
        path: 'spec.selector',
        message: 'Empty: it selects every pod of the namespace. Name the pods in `selector.pods`.',
      },
    ])
  })

  it.each([undefined, null, 7, 'PodChaos', [], {}, { kind: 'StressChaos' }, { kind: { toString: 1 } }])(
    'takes %j for no manifest that it knows',
    (given) => {
      expect(wherever(given)).toEqual(['kind'])
    },
  )

  it.each([
    { spec: null },
    { spec: [] },
    { metadata: 1, spec: { selector: 'all', target: 'x', loss: 7, delay: null } },
  ])('reads %j without throwing', (parts) => {
    for (const kind of ['PodChaos', 'NetworkChaos'])
      expect(wherever({ kind, ...parts })).toEqual(expect.arrayContaining(['metadata.name', 'spec.selector']))
  })

  it('reads a long duration and a long name in no time, and shows little of them', () => {
    const findings = lintChaosMesh(podChaos({ duration: '1h'.repeat(1e6) }, 'a-'.repeat(1e6)))
    expect(findings.map(({ path }) => path)).toEqual(['metadata.name', 'spec.duration'])
    for (const { message } of findings) expect(message.length).toBeLessThan(400)
  })
})

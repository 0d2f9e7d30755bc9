import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { lintChaosMesh } from '../../src/delegates/index.js'
import { DOCUMENTS } from './documents.js'
import { schemaErrors } from './schemas.js'

/** A valid manifest of a kind, with changes to its spec. */
const podChaos = (changes: object) => ({
  apiVersion: 'chaos-mesh.org/v1alpha1',
  kind: 'PodChaos',
  metadata: { name: 'x' },
  spec: { action: 'pod-failure', mode: 'all', selector: { pods: { shop: ['cart-0'] } }, duration: '1m', ...changes },
})
const networkChaos = (changes: object) => ({
  ...podChaos({ action: 'delay', delay: { latency: '1s' }, ...changes }),
  kind: 'NetworkChaos',
})

describe('the schemas', () => {
  it.each(Object.entries(DOCUMENTS))('accept %s, and the lint finds nothing in it', (_title, yaml) => {
    const document: unknown = parse(yaml)
    expect(schemaErrors(document)).toEqual([])
    expect(lintChaosMesh(document)).toEqual([])
  })

  it.each([
    ['an unknown action', podChaos({ action: 'pod-kil' }), '/spec/action'],
    ['an unknown mode', podChaos({ mode: 'some' }), '/spec/mode'],
    ['a field with a typo', podChaos({ durration: '1m' }), 'durration'],
    ['a number in place of a text', podChaos({ mode: 'fixed', value: 2 }), '/spec/value'],
    ['a missing selector', podChaos({ selector: undefined }), 'selector'],
    ['a negative grace period', podChaos({ action: 'pod-kill', gracePeriod: -1 }), '/spec/gracePeriod'],
    ['a delay without a latency', networkChaos({ delay: { jitter: '1s' } }), 'latency'],
    ['a loss as a number', networkChaos({ action: 'loss', loss: { loss: 25 } }), '/spec/loss/loss'],
    ['a bandwidth without a buffer', networkChaos({ bandwidth: { rate: '1bps', limit: 1 } }), 'buffer'],
    ['a peer without a mode', networkChaos({ target: { selector: {} } }), '/spec/target'],
    ['a direction of no packets', networkChaos({ direction: 'up' }), '/spec/direction'],
    ['another version of the API', { ...podChaos({}), apiVersion: 'chaos-mesh.org/v1' }, '/apiVersion'],
    ['another kind', { ...podChaos({}), kind: 'IOChaos' }, '/kind'],
  ])('refuse %s', (_title, manifest, where) => {
    expect(schemaErrors(JSON.parse(JSON.stringify(manifest))).join('\n')).toContain(where)
  })
})

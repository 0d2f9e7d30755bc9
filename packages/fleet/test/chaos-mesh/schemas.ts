import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'

// The spec of PodChaos and NetworkChaos, chaos-mesh.org/v1alpha1, written down from the documented fields: their names, types, choices and bounds.
// The API server drops unknown fields without a word; these schemas refuse them.

const text = { type: 'string' }
const texts = { type: 'array', items: text }
const textByName = { type: 'object', additionalProperties: text }
const atLeast = (minimum: number, maximum: number) => ({ type: 'integer', minimum, maximum })
const INT32 = 2 ** 31 - 1
const only = (properties: Readonly<Record<string, object>>, ...required: readonly string[]) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})

const selector = only({
  annotationSelectors: textByName,
  expressionSelectors: { type: 'array', items: only({ key: text, operator: text, values: texts }, 'key', 'operator') },
  fieldSelectors: textByName,
  labelSelectors: textByName,
  namespaces: texts,
  nodeSelectors: textByName,
  nodes: texts,
  podPhaseSelectors: texts,
  pods: { type: 'object', additionalProperties: texts },
})
const selection = {
  mode: { enum: ['one', 'all', 'fixed', 'fixed-percent', 'random-max-percent'] },
  selector,
  value: text,
}
const common = { ...selection, duration: text, remoteCluster: text }

const podChaos = only(
  {
    ...common,
    action: { enum: ['pod-kill', 'pod-failure', 'container-kill'] },
    containerNames: texts,
    gracePeriod: atLeast(0, Number.MAX_SAFE_INTEGER),
  },
  'action',
  'mode',
  'selector',
)

const share = (name: string) => only({ [name]: text, correlation: text }, name)
const networkChaos = only(
  {
    ...common,
    action: { enum: ['netem', 'delay', 'loss', 'duplicate', 'corrupt', 'partition', 'bandwidth'] },
    bandwidth: only(
      {
        buffer: atLeast(1, INT32),
        limit: atLeast(1, INT32),
        minburst: atLeast(0, INT32),
        peakrate: atLeast(0, Number.MAX_SAFE_INTEGER),
        rate: text,
      },
      'buffer',
      'limit',
      'rate',
    ),
    corrupt: share('corrupt'),
    delay: only(
      {
        correlation: text,
        jitter: text,
        latency: text,
        reorder: only({ correlation: text, gap: { type: 'integer' }, reorder: text }, 'gap', 'reorder'),
      },
      'latency',
    ),
    device: text,
    direction: { enum: ['to', 'from', 'both'] },
    duplicate: share('duplicate'),
    externalTargets: texts,
    loss: share('loss'),
    target: only(selection, 'mode', 'selector'),
    targetDevice: text,
  },
  'action',
  'mode',
  'selector',
)

const objectOf = (kind: string, spec: object) =>
  only(
    {
      apiVersion: { const: 'chaos-mesh.org/v1alpha1' },
      kind: { const: kind },
      metadata: only({ name: text, namespace: text, labels: textByName, annotations: textByName }, 'name'),
      spec,
    },
    'apiVersion',
    'kind',
    'metadata',
    'spec',
  )

const ajv = new Ajv2020({ allErrors: true })
const validators = {
  PodChaos: ajv.compile(objectOf('PodChaos', podChaos)),
  NetworkChaos: ajv.compile(objectOf('NetworkChaos', networkChaos)),
}

/** What the schema of its kind says against a manifest: `/spec/action must be …`. */
export function schemaErrors(manifest: unknown): readonly string[] {
  const { kind } = manifest as { readonly kind?: unknown }
  if (kind !== 'PodChaos' && kind !== 'NetworkChaos') return [`/kind is ${String(kind)}`]
  const validate = validators[kind]
  return validate(manifest) ? [] : (validate.errors ?? []).map(inWords)
}

const inWords = ({ instancePath, message = '', params }: ErrorObject): string =>
  `${instancePath} ${message} ${JSON.stringify(params)}`

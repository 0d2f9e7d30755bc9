import { printable } from '@chaos/core/authoring'
import { durationMs, isByteRate, isPercent } from './quantities.js'

/** What is dangerous about a manifest, though its schema allows it. */
export interface ChaosMeshFinding {
  /** Where, as a path: `spec.duration`. */
  readonly path: string
  /** What is wrong, what happens then, and what to write instead. */
  readonly message: string
}

type Fields = Readonly<Record<string, unknown>>

/** The actions that end by themselves: there is nothing that a duration could end. */
const ONE_SHOT: readonly unknown[] = ['pod-kill', 'container-kill']
/** The actions that need a block of their own name. */
const WITH_BLOCK = ['delay', 'loss', 'duplicate', 'corrupt', 'bandwidth'] as const
const SHARES = ['loss', 'duplicate', 'corrupt'] as const
/** What narrows a selection beyond a whole namespace. */
const CRITERIA = [
  'annotationSelectors',
  'expressionSelectors',
  'fieldSelectors',
  'labelSelectors',
  'nodeSelectors',
  'nodes',
  'pods',
] as const

const DNS_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/

/**
 * Finds what is dangerous in a PodChaos or NetworkChaos manifest though the schemas of Chaos Mesh allow it: a fault without
 * an end, one that affects more than was meant, or one that does nothing. Use it for manifests from elsewhere too.
 *
 * It is no validator: types and unknown fields are checked by `kubectl apply --dry-run=server`.
 *
 * @param manifest A parsed manifest. It may be anything.
 * @returns The findings, none if the manifest looks safe.
 */
export function lintChaosMesh(manifest: unknown): readonly ChaosMeshFinding[] {
  const { kind, metadata, spec: given } = fieldsOf(manifest)
  if (kind !== 'PodChaos' && kind !== 'NetworkChaos')
    return [finding('kind', `Expected PodChaos or NetworkChaos, got ${shown(kind)}. Other kinds are not known here.`)]
  const spec = fieldsOf(given)
  return [
    ...nameFindings(fieldsOf(metadata)['name']),
    ...durationFindings(spec),
    ...selectionFindings(spec, 'spec'),
    ...(kind === 'PodChaos' ? containerFindings(spec) : [...blockFindings(spec), ...peerFindings(spec)]),
  ]
}

function nameFindings(name: unknown): readonly ChaosMeshFinding[] {
  return typeof name === 'string' && name.length <= 253 && DNS_NAME.test(name)
    ? []
    : [
        finding(
          'metadata.name',
          `Expected a DNS name of at most 253 lower-case letters, digits, \`-\` and \`.\`, got ${shown(name)}.`,
        ),
      ]
}

function durationFindings({ action, duration }: Fields): readonly ChaosMeshFinding[] {
  if (duration === undefined)
    return ONE_SHOT.includes(action)
      ? []
      : [finding('spec.duration', 'Missing: the fault lasts until somebody deletes the object. Set it, as in `5m`.')]
  return (durationMs(duration) ?? 0) > 0
    ? []
    : [finding('spec.duration', `Expected a duration such as \`90s\` or \`5m\`, got ${shown(duration)}.`)]
}

/** What is wrong with `selector`, `mode` and `value`, of the pods or of their peer. */
function selectionFindings({ selector, mode, value }: Fields, path: string): readonly ChaosMeshFinding[] {
  const of = fieldsOf(selector)
  const findings: ChaosMeshFinding[] = []
  if (!CRITERIA.some((name) => !isEmpty(of[name])))
    findings.push(
      finding(`${path}.selector`, 'Empty: it selects every pod of the namespace. Name the pods in `selector.pods`.'),
    )
  else if ('pods' in of && Object.values(fieldsOf(of['pods'])).some(isEmpty))
    findings.push(finding(`${path}.selector.pods`, 'A namespace without pods selects nothing. Name its pods.'))
  if (mode === 'fixed' && !isWhole(value, Number.MAX_SAFE_INTEGER))
    findings.push(finding(`${path}.value`, `Expected a number of pods for mode fixed, got ${shown(value)}.`))
  if ((mode === 'fixed-percent' || mode === 'random-max-percent') && !isWhole(value, 100))
    findings.push(
      finding(`${path}.value`, `Expected a percentage from 1 to 100 for mode ${mode}, got ${shown(value)}.`),
    )
  return findings
}

function containerFindings({ action, containerNames }: Fields): readonly ChaosMeshFinding[] {
  return action === 'container-kill' && isEmpty(containerNames)
    ? [finding('spec.containerNames', 'Missing: container-kill needs the names of the containers to kill.')]
    : []
}

function blockFindings(spec: Fields): readonly ChaosMeshFinding[] {
  const { action } = spec
  const missing =
    WITH_BLOCK.some((name) => name === action) && isEmpty(spec[String(action)])
      ? [finding(`spec.${String(action)}`, `Missing: without its block the action ${String(action)} does nothing.`)]
      : []
  const delay = fieldsOf(spec['delay'])
  return [
    ...missing,
    ...(action === 'netem' && WITH_BLOCK.every((name) => isEmpty(spec[name]))
      ? [finding('spec.action', 'netem needs at least one block, such as `delay` or `loss`.')]
      : []),
    ...['latency', 'jitter'].flatMap((name) =>
      delay[name] === undefined || durationMs(delay[name]) !== undefined
        ? []
        : [finding(`spec.delay.${name}`, `Expected a duration such as \`100ms\`, got ${shown(delay[name])}.`)],
    ),
    ...SHARES.flatMap((name) => percentFindings(spec, name, name)),
    ...['delay', ...SHARES].flatMap((name) => percentFindings(spec, name, 'correlation')),
    ...rateFindings(fieldsOf(spec['bandwidth'])),
  ]
}

function percentFindings(spec: Fields, block: string, field: string): readonly ChaosMeshFinding[] {
  const value = fieldsOf(spec[block])[field]
  return value === undefined || isPercent(value)
    ? []
    : [
        finding(
          `spec.${block}.${field}`,
          `Expected a percentage from 0 to 100 as a text, such as "12.5", got ${shown(value)}.`,
        ),
      ]
}

function rateFindings({ rate }: Fields): readonly ChaosMeshFinding[] {
  return rate === undefined || isByteRate(rate)
    ? []
    : [
        finding(
          'spec.bandwidth.rate',
          `Expected a whole number of bytes per second with bps, kbps, mbps, gbps or tbps, got ${shown(rate)}.`,
        ),
      ]
}

/** The webhooks of Chaos Mesh check the peer of no partition. */
function peerFindings({ action, direction, target, externalTargets }: Fields): readonly ChaosMeshFinding[] {
  const findings = target === undefined ? [] : [...selectionFindings(fieldsOf(target), 'spec.target')]
  const hasPeer = target !== undefined || !isEmpty(externalTargets)
  if (action === 'partition') {
    if (!['to', 'from', 'both'].includes(direction as string))
      findings.push(finding('spec.direction', `Expected to, from or both for a partition, got ${shown(direction)}.`))
    if (!hasPeer)
      findings.push(
        finding(
          'spec.target',
          'Missing: the pods lose all traffic, that of their liveness probes too. Name the peer in `target` or `externalTargets`.',
        ),
      )
  } else if (direction === 'from' || direction === 'both') {
    if (!isEmpty(externalTargets))
      findings.push(finding('spec.direction', 'Chaos Mesh shapes no traffic from `externalTargets`. Write `to`.'))
    if (target === undefined)
      findings.push(
        finding('spec.target', `Missing: direction ${direction} needs the pods that the traffic comes from.`),
      )
  }
  return findings
}

const finding = (path: string, message: string): ChaosMeshFinding => ({ path, message })

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}

/** Whether a list or an object holds nothing. What is neither holds nothing too. */
const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length === 0 : true

const isWhole = (text: unknown, max: number): boolean =>
  typeof text === 'string' && /^[1-9]\d{0,14}$/.test(text) && Number(text) <= max

const shown = (value: unknown): string => (value === undefined ? 'nothing' : `\`${printable(value)}\``)

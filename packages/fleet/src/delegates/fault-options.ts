import { option } from '@chaos/core/authoring'

/** A pod as `namespace/name`. Namespaces are DNS labels, names are DNS subdomains. */
const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?'
const SUBDOMAIN = `(?=[a-z0-9.-]{1,253}$)${LABEL}(?:\\.${LABEL})*`
const POD = new RegExp(`^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?/${SUBDOMAIN}$`)
const CONTAINER = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/** An IPv4 address or range, or a domain name. */
const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const ADDRESS = new RegExp(
  `^(?:${BYTE}(?:\\.${BYTE}){3}(?:/(?:[1-9]|[12]\\d|3[0-2]))?|(?=[a-z0-9.-]*[a-z])${SUBDOMAIN})$`,
  'i',
)

/** The most pods of one selector. Chaos Mesh writes a record of each into the object, and etcd stores at most 1.5 MiB. */
const MAX_PODS = 1_000
const MAX_CONTAINERS = 100
const MAX_ADDRESSES = 100
const MAX_INT32 = 2_147_483_647
/** One Ethernet frame. A token bucket that holds less lets no full frame pass. */
const FRAME_BYTES = 1_514
/** The smallest share, in steps of which shares are rendered. */
const MIN_SHARE = 0.000_001

/** A list of pods. */
export const podList = option.list(
  option.matching(POD, 'a pod as `namespace/name`', 'A pod.'),
  MAX_PODS,
  'pods, each as `namespace/name`',
)

const share = (description: string) => option.number(description, MIN_SHARE, 1)
const correlation = option.optional(option.rate('How much each decision depends on the one before. Default 0.'), 0)
const wholeMs = (description: string) => option.count(description, 1, 3_600_000)

const peer = {
  target: option.optional(podList),
  externalTargets: option.optional(
    option.list(
      option.matching(ADDRESS, 'an IPv4 address or range, or a domain name', 'What lies outside the cluster.'),
      MAX_ADDRESSES,
      'addresses, ranges or domain names',
    ),
  ),
}
const DIRECTIONS = ['to', 'from', 'both'] as const
const direction = option.oneOf(DIRECTIONS, 'Which packets: those to the peer, from it, or both.')
const shaped = { ...peer, direction: option.optional(direction, 'to') }

/** The options of each action. Units are ours; the rendering translates them. */
export const faultOptions = {
  'pod-kill': {
    gracePeriodSeconds: option.optional(option.count('The time between SIGTERM and SIGKILL, in s.', 0, 3_600), 0),
  },
  'pod-failure': {},
  'container-kill': {
    containers: option.list(
      option.matching(CONTAINER, 'the name of a container', 'A container.'),
      MAX_CONTAINERS,
      'names of containers',
    ),
  },
  partition: { ...peer, direction },
  delay: {
    ...shaped,
    delayMs: wholeMs('How late each packet is, in ms: 1 to 3,600,000.'),
    jitterMs: option.optional(option.count('How much the delay varies, in ms.', 0, 3_600_000), 0),
    correlation,
  },
  loss: { ...shaped, rate: share('The share of packets that are lost.'), correlation },
  duplicate: { ...shaped, rate: share('The share of packets that arrive twice.'), correlation },
  corrupt: { ...shaped, rate: share('The share of packets with a wrong bit.'), correlation },
  bandwidth: {
    ...shaped,
    bytesPerSecond: option.count('How much passes, in bytes per second.', 1, 1e12),
    limitBytes: option.count('How much waits to pass, in bytes. The rest is lost.', FRAME_BYTES, MAX_INT32),
    bufferBytes: option.count('How much passes at once, in bytes.', FRAME_BYTES, MAX_INT32),
  },
} as const

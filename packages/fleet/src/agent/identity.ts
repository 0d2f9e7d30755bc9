import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { hostname } from 'node:os'

/** Who a process is. */
export interface Identity {
  /** `host:pid:bootNonce`; where `POD_UID` is set, `podUid:bootNonce`. */
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
}

/** The labels that come from variables of the Downward API of Kubernetes. Each needs one line in the pod's manifest. */
const LABELS = { pod: 'POD_NAME', namespace: 'POD_NAMESPACE', node: 'NODE_NAME' } as const

/** The longest value of a label, and of a part of an id. */
const MAX_LENGTH = 200

/**
 * Returns who this process is, with a new nonce. The nonce makes a restarted process another instance, so that no plan of
 * before names it. Asks neither the API of Kubernetes nor the network.
 */
export function identityOf(env: NodeJS.ProcessEnv = process.env): Identity {
  // Short, since every plan carries the ids of all its instances to each of them.
  const nonce = randomBytes(6).toString('base64url')
  const host = hostname().slice(0, MAX_LENGTH)
  const valueOf = (name: string): string => (env[name] ?? '').slice(0, MAX_LENGTH)
  const labels: Record<string, string> = { host }
  for (const [label, name] of Object.entries(LABELS)) if (valueOf(name) !== '') labels[label] = valueOf(name)
  const podUid = valueOf('POD_UID')
  return { id: podUid === '' ? `${host}:${process.pid}:${nonce}` : `${podUid}:${nonce}`, labels }
}

/** Returns the version of this package, or `unknown` in an app that was bundled. */
export function sdkVersion(): string {
  try {
    return (createRequire(import.meta.url)('@chaos/fleet/package.json') as { readonly version: string }).version
  } catch {
    return 'unknown'
  }
}

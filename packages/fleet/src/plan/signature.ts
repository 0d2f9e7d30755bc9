import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { messageOf, printable } from '@chaos/core/authoring'
import { canonicalJson } from './canonical.js'
import { checkPlan, parsePlan, MAX_PLAN_BYTES } from './check-plan.js'
import type { Plan, SignedPlan } from './plan.js'
import { planRefused } from './refusals.js'

/** The public keys that an agent trusts, in PEM (SPKI) or as key objects, by key id. */
export type PinnedKeys = Readonly<Record<string, string | KeyObject>>

/** The length of an Ed25519 signature in base64url. */
const SIGNATURE = /^[\w-]{86}$/
/** What key ids look like. */
export const KEY_ID = /^[\w.@-]{1,100}$/

/**
 * Signs a plan with Ed25519 (RFC 8032).
 *
 * @param privateKey The private key, in PEM (PKCS #8) or as a key object.
 * @param keyId The name of the key, by which agents find the public key.
 * @throws ChaosError `CHAOS_FLEET_PLAN_REFUSED` if the plan is not valid, is longer than 1 MiB, or the key is not an Ed25519 key.
 */
export function signPlan(plan: Plan, privateKey: string | KeyObject, keyId: string): SignedPlan {
  if (!KEY_ID.test(keyId))
    throw planRefused(`Expected a key id of 1 to 100 letters, digits or @._-, got \`${printable(keyId)}\`.`)
  const text = canonicalJson(checkPlan(plan))
  if (Buffer.byteLength(text) > MAX_PLAN_BYTES)
    throw planRefused(`It is longer than ${MAX_PLAN_BYTES} bytes. Select fewer instances, or pass smaller options.`)
  const key = keyOf(() => (typeof privateKey === 'string' ? createPrivateKey(privateKey) : privateKey), keyId)
  return { text, keyId, signature: sign(null, Buffer.from(text), key).toString('base64url') }
}

/**
 * Checks the signature of a plan, and then the plan. Nothing of the text is read before its signature has been found good.
 *
 * @throws ChaosError `CHAOS_FLEET_PLAN_REFUSED` if the key is not pinned, the signature is not that of the text, or the plan is
 *   not valid.
 */
export function verifyPlan({ text, keyId, signature }: SignedPlan, keys: PinnedKeys): Plan {
  if (typeof text !== 'string' || text.length > MAX_PLAN_BYTES)
    throw planRefused(`Its text is longer than ${MAX_PLAN_BYTES} bytes.`)
  if (typeof keyId !== 'string' || !Object.hasOwn(keys, keyId))
    throw planRefused(
      `The key "${printable(keyId)}" is not pinned here. Add its public key to the keys of this process if you trust it.`,
    )
  const pinned = keys[keyId] ?? ''
  const key = keyOf(() => (typeof pinned === 'string' ? publicKeyIn(pinned) : pinned), keyId)
  const known = verified
  if (known?.text === text && known.signature === signature && known.key === key) return known.plan
  // A decoder of base64 ignores what it does not know, so the form is checked first.
  if (!SIGNATURE.test(signature) || !verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url')))
    throw planRefused(
      `Its signature is not one of the key "${keyId}" for this text: it was changed, or signed by another key.`,
    )
  const plan = parsePlan(text)
  verified = { text, signature, key, plan }
  return plan
}

/**
 * The plan that was verified last. Where a process has many agents, such as one that simulates a fleet, each is asked about the
 * same plan, which may name thousands of instances.
 */
let verified:
  | { readonly text: string; readonly signature: string; readonly key: KeyObject; readonly plan: Plan }
  | undefined

/** The keys that have been read, by their text: to read one takes longer than to verify by it. */
const publicKeys = new Map<string, KeyObject>()
const MAX_PUBLIC_KEYS = 100

function publicKeyIn(pem: string): KeyObject {
  const key = publicKeys.get(pem) ?? createPublicKey(pem)
  if (publicKeys.size >= MAX_PUBLIC_KEYS) publicKeys.clear()
  publicKeys.set(pem, key)
  return key
}

function keyOf(read: () => KeyObject, keyId: string): KeyObject {
  let key: KeyObject
  try {
    key = read()
  } catch (error) {
    throw planRefused(`The key "${printable(keyId)}" cannot be read: ${messageOf(error)}.`, error)
  }
  if (key.asymmetricKeyType === 'ed25519') return key
  throw planRefused(
    `Expected the key "${printable(keyId)}" to be an Ed25519 key, got \`${key.asymmetricKeyType ?? key.type}\`.`,
  )
}

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { generateKeyPairSync } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { instance, plan, refusal } from '../../test/fixtures.js'
import { MAX_PLAN_BYTES } from './check-plan.js'
import { makeKey, readKeyFile, readPublicKeyFile, writeKeyFiles } from './key-files.js'
import { signPlan, verifyPlan } from './signature.js'
import { whyForeign } from './why-foreign.js'

const key = makeKey('ops')
const keys = { ops: key.publicKey }
const signed = signPlan(plan(), key.privateKey, 'ops')
const refusedFor = (why: string): Error => refusal('CHAOS_FLEET_PLAN_REFUSED', why)

it('accepts the plan that a pinned key has signed', () => {
  expect(verifyPlan(signed, keys)).toEqual(plan())
})

it('refuses a plan that was changed in any character', () => {
  for (const [from, to] of [
    ['"quorum":2', '"quorum":1'],
    ['i-1', 'i-3'],
    ['staging', 'staginG'],
  ] as const) {
    const text = signed.text.replace(from, to)
    expect(text).not.toBe(signed.text)
    expect(() => verifyPlan({ ...signed, text }, keys)).toThrow(refusedFor('signature'))
  }
})

it('verifies a plan once for all agents of a process, and nothing that differs from it', () => {
  const verified = verifyPlan(signed, keys)
  expect(verifyPlan({ ...signed }, { ops: key.publicKey })).toBe(verified)
  const [other, another] = [makeKey('ops'), signPlan(plan({ quorum: 1 }), key.privateKey, 'ops')]
  for (const change of [{ text: another.text }, { signature: another.signature }])
    expect(() => verifyPlan({ ...signed, ...change }, keys)).toThrow(refusedFor('signature'))
  expect(() => verifyPlan(signed, { ops: other.publicKey })).toThrow(refusedFor('signature'))
  expect(() => verifyPlan(signed, {})).toThrow(refusedFor('not pinned'))
  expect(verifyPlan(another, keys)).toMatchObject({ quorum: 1 })
})

it('refuses a key that is not pinned, though its name is that of a member of every object', () => {
  expect(() => verifyPlan({ ...signed, keyId: 'eve' }, keys)).toThrow(refusedFor('not pinned'))
  expect(() => verifyPlan({ ...signed, keyId: 'constructor' }, keys)).toThrow(refusedFor('not pinned'))
})

it('refuses a pinned key that did not sign', () => {
  const other = makeKey('eve')
  const forged = signPlan(plan(), other.privateKey, 'ops')
  expect(() => verifyPlan(forged, keys)).toThrow(refusedFor('signature'))
  expect(() => verifyPlan({ ...signed, keyId: 'eve' }, { ...keys, eve: other.publicKey })).toThrow(
    refusedFor('signature'),
  )
})

it.each(['', 'x'.repeat(86), `${signed.signature}=`, `${signed.signature.slice(0, -1)}!`])(
  'refuses the signature %j',
  (signature) => {
    expect(() => verifyPlan({ ...signed, signature }, keys)).toThrow(refusedFor('signature'))
  },
)

it('reads nothing of a text before its signature is good', () => {
  expect(() => verifyPlan({ ...signed, text: '{' }, keys)).toThrow(refusedFor('signature'))
})

it('refuses a plan of more than 1 MiB on both sides', () => {
  const huge = plan({ options: { text: 'x'.repeat(MAX_PLAN_BYTES) } })
  expect(() => signPlan(huge, key.privateKey, 'ops')).toThrow(refusedFor('longer than'))
  expect(() => verifyPlan({ ...signed, text: 'x'.repeat(MAX_PLAN_BYTES + 1) }, keys)).toThrow(refusedFor('longer than'))
})

it('signs no plan that would be refused', () => {
  expect(() => signPlan(plan({ quorum: 9 }), key.privateKey, 'ops')).toThrow(refusedFor('quorum'))
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey
  expect(() => signPlan(plan(), rsa, 'ops')).toThrow(refusedFor('Ed25519'))
  expect(() => signPlan(plan(), 'no key', 'ops')).toThrow(refusedFor('cannot be read'))
  expect(() => signPlan(plan(), key.privateKey, 'a key')).toThrow(refusedFor('key id'))
})

it.each([
  ['its own plan', instance('i-0'), 'shop', undefined],
  ['a plan of another fleet', instance('i-0'), 'shop-2', 'for the fleet "shop"'],
  [
    'a plan of another environment',
    instance('i-0', { environment: 'production' }),
    'shop',
    'for the environment "staging"',
  ],
  ['a plan replayed after its restart', instance('i-0-again'), 'shop', 'does not name this instance'],
  ['a plan that leaves its service out of the caps', instance('i-0', { service: 'db' }), 'shop', 'does not count'],
  ['a plan for other labels', instance('i-0', { labels: { zone: 'us-1' } }), 'shop', 'zone=eu-1'],
  ['a plan for a target that it lacks', instance('i-0', { targets: {} }), 'shop', 'no target "db"'],
  ['a plan for a fault that it lacks', instance('i-0', { targets: { db: [] } }), 'shop', 'does not accept'],
])('says of %s whether an instance may run it', (_what, own, fleet, why) => {
  const found = whyForeign(verifyPlan(signed, keys), own, fleet)
  if (why === undefined) expect(found).toBeUndefined()
  else expect(found).toContain(why)
})

it('writes a key that only its owner can read, and reads it again', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'fleet-plan-')), 'ops.pem')
  const made = writeKeyFiles(path)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readKeyFile(path)).toEqual(made)
  const pinned = readPublicKeyFile(`${path}.pub`)
  expect(pinned).toEqual({ keyId: 'ops', publicKey: made.publicKey })
  expect(verifyPlan(signPlan(plan(), made.privateKey, made.keyId), { [pinned.keyId]: pinned.publicKey })).toEqual(
    plan(),
  )
})

it('overwrites no key, and uses none that others can read', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'fleet-plan-')), 'ops.pem')
  const { privateKey } = writeKeyFiles(path)
  expect(() => writeKeyFiles(path)).toThrow(expect.objectContaining({ code: 'CHAOS_FLEET_KEY_REFUSED' }))
  expect(readFileSync(path, 'utf8')).toBe(privateKey)
  chmodSync(path, 0o640)
  expect(() => readKeyFile(path)).toThrow('Others may read or write')
})

it.skipIf(process.platform === 'win32')('takes no folder and no pipe for a key', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-plan-'))
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  for (const path of [folder, pipe])
    for (const read of [readKeyFile, readPublicKeyFile])
      expect(() => read(path)).toThrow(
        expect.objectContaining({ code: 'CHAOS_FLEET_KEY_REFUSED', message: `${path} is not a file.` }),
      )
})

it.each(['ops.pem', 'ops.pem.pub'])('leaves no half of a key behind when %s exists', (name) => {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-plan-'))
  writeFileSync(join(folder, name), 'of somebody else')
  expect(() => writeKeyFiles(join(folder, 'ops.pem'))).toThrow('cannot be written')
  expect(readdirSync(folder)).toEqual([name])
})

it('takes no private key for a public one, and no text for a key', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'fleet-plan-')), 'ops.pem')
  writeKeyFiles(path)
  expect(() => readPublicKeyFile(path)).toThrow('holds a private key')
  writeFileSync(`${path}.pub`, 'hello')
  expect(() => readPublicKeyFile(`${path}.pub`)).toThrow('is not a key in PEM')
  expect(() => readKeyFile(`${path}.gone`)).toThrow('cannot be read')
})

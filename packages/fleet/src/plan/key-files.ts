import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { messageOf, printable } from '@chaos/core/authoring'
import { keyRefused } from './refusals.js'
import { KEY_ID } from './signature.js'

/** A key that signs plans. */
export interface SigningKey {
  readonly keyId: string
  /** In PEM (PKCS #8). */
  readonly privateKey: string
  /** In PEM (SPKI). Agents pin it. */
  readonly publicKey: string
}

/** The most bytes of a key file. */
const MAX_KEY_BYTES = 16_384

/** Makes an Ed25519 key. */
export function makeKey(keyId: string): SigningKey {
  if (!KEY_ID.test(keyId))
    throw keyRefused(`Expected a key id of 1 to 100 letters, digits or @._-, got \`${printable(keyId)}\`.`)
  const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  return { keyId, privateKey, publicKey }
}

/**
 * Makes a key and writes its two files: `path` with the private key, mode 0600, and `path.pub` with the public key. The
 * name of the file, without `.pem`, is the key id. No existing file is overwritten.
 *
 * @throws ChaosError `CHAOS_FLEET_KEY_REFUSED` if a file exists or cannot be written, or its name is not a key id.
 */
export function writeKeyFiles(path: string): SigningKey {
  const key = makeKey(keyIdOf(path))
  const publicPath = `${path}.pub`
  // The public key first: if the second file cannot be written, no private key is left that nobody knows of.
  writeNew(publicPath, key.publicKey, 0o644)
  try {
    writeNew(path, key.privateKey, 0o600)
  } catch (error) {
    rmSync(publicPath)
    throw error
  }
  return key
}

function writeNew(path: string, text: string, mode: number): void {
  try {
    // `wx` also refuses a symbolic link that somebody has put there.
    writeFileSync(path, text, { mode, flag: 'wx' })
  } catch (error) {
    throw keyRefused(`The key file cannot be written: ${messageOf(error)}.`, error)
  }
}

/**
 * Reads the private key of a file that {@link writeKeyFiles} has written.
 *
 * @throws ChaosError `CHAOS_FLEET_KEY_REFUSED` if the file cannot be read, is no Ed25519 key in PEM, or others may read or write it.
 */
export function readKeyFile(path: string): SigningKey {
  const privateKey = contentsOf(path, true)
  return keyIn(path, () => {
    const key = createPrivateKey(privateKey)
    const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
    return { type: key.asymmetricKeyType, value: { keyId: keyIdOf(path), privateKey, publicKey } }
  })
}

/**
 * Reads the public key of a file, for the keys that an agent pins. The name of the file, without `.pem` and `.pub`, is the
 * key id.
 *
 * @throws ChaosError `CHAOS_FLEET_KEY_REFUSED` if the file cannot be read or is no public Ed25519 key in PEM.
 */
export function readPublicKeyFile(path: string): Pick<SigningKey, 'keyId' | 'publicKey'> {
  const publicKey = contentsOf(path, false)
  if (publicKey.includes('PRIVATE KEY'))
    throw keyRefused(`${printable(path)} holds a private key. Give agents the file that ends in .pub.`)
  return keyIn(path, () => {
    const key = createPublicKey(publicKey)
    return { type: key.asymmetricKeyType, value: { keyId: keyIdOf(path), publicKey } }
  })
}

function keyIn<T>(path: string, read: () => { readonly type: string | undefined; readonly value: T }): T {
  let found
  try {
    found = read()
  } catch (error) {
    throw keyRefused(`${printable(path)} is not a key in PEM: ${messageOf(error)}.`, error)
  }
  if (found.type === 'ed25519') return found.value
  throw keyRefused(`Expected ${printable(path)} to hold an Ed25519 key, got \`${found.type ?? 'another type'}\`.`)
}

/** Reads a small file. The mode is that of the file that is read, not of one that is swapped in meanwhile. */
function contentsOf(path: string, isSecret: boolean): string {
  let file: number
  try {
    // A pipe that nobody writes to would be waited for, for ever and deaf to signals.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw keyRefused(`The key file cannot be read: ${messageOf(error)}.`, error)
  }
  try {
    const stats = fstatSync(file)
    const { mode, size } = stats
    if (!stats.isFile()) throw keyRefused(`${printable(path)} is not a file.`)
    // Windows has no such modes, and reports 0666 for each file.
    if (isSecret && process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw keyRefused(`Others may read or write ${printable(path)}. Run \`chmod 600\` on it.`)
    if (size > MAX_KEY_BYTES) throw keyRefused(`${printable(path)} is longer than ${MAX_KEY_BYTES} bytes.`)
    const contents = Buffer.alloc(MAX_KEY_BYTES)
    return contents.toString('utf8', 0, readSync(file, contents, 0, MAX_KEY_BYTES, 0))
  } finally {
    closeSync(file)
  }
}

const keyIdOf = (path: string): string =>
  basename(path)
    .replace(/\.pub$/, '')
    .replace(/\.pem$/, '')

import { readFileSync, statSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { ChaosError } from '@chaos/core'
import { messageOf, printable } from '@chaos/core/authoring'
import { readKeyFile, type SigningKey } from '../plan/key-files.js'
import { parsePolicy, type Policy } from '../policy/policy.js'

/** The largest policy file, in bytes. */
const MAX_POLICY = 1_048_576

/** A variable of the environment. An empty one counts as none. */
export function variable(name: string): string | undefined {
  return nonEmpty(process.env[name])
}

export const nonEmpty = (text: string | null | undefined): string | undefined =>
  text === null || text === '' ? undefined : text

/** Reads the file that a variable names. */
export function fromFile<T>(name: string, read: (path: string) => T): T | undefined {
  const path = variable(name)
  return path === undefined ? undefined : read(path)
}

/**
 * The key of `CHAOS_FLEET_KEY`, which signs plans.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if there is none, `CHAOS_FLEET_KEY_REFUSED` if it cannot be used.
 */
export function keyOfVariables(): SigningKey {
  const key = fromFile('CHAOS_FLEET_KEY', readKeyFile)
  if (key !== undefined) return key
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    'Name the file with the key that signs plans in CHAOS_FLEET_KEY. `chaos fleet key` makes one.',
  )
}

/** The policy of `CHAOS_FLEET_POLICY`. @throws ChaosError `CHAOS_INVALID_OPTION` if its file is not a policy */
export function policyOfVariables(): Policy | undefined {
  return fromFile('CHAOS_FLEET_POLICY', policyIn)
}

function policyIn(path: string): Policy {
  let data: unknown
  try {
    const stats = statSync(path)
    // A pipe or a device has no end that could be read to.
    if (!stats.isFile()) throw new Error('it is not a file')
    if (stats.size > MAX_POLICY) throw new Error(`it is longer than ${MAX_POLICY} bytes`)
    data = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `The policy ${printable(path)} cannot be read as JSON: ${messageOf(error)}.`,
      { cause: error },
    )
  }
  return parsePolicy(data)
}

/** The user and the host, for the audit log. */
export function whoRunsIt(): string {
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    // A container may run as a user without a name.
    return `someone@${hostname()}`
  }
}

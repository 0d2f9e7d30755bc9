import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { aclFile, type Role } from '@chaos/fleet/controller'
import { ownRedis, programPath } from '@chaos/test-servers'

/** A Redis of the demo's own. */
export interface FleetRedis {
  readonly version: string
  readonly port: number
  /** The URL with the user and the password of a role. */
  urlOf(role: Role): string
  stop(): Promise<void>
}

/** Thrown where the demo cannot run, with what to do about it. */
export class RedisMissingError extends Error {
  override readonly name = 'RedisMissingError'
}

/** The first major version with permissions by key, which the users of a fleet need. */
const MIN_MAJOR = 7
const HOW_TO_GET_IT = 'Debian and Ubuntu: `sudo apt install redis-server`. macOS: `brew install redis`.'

/** Returns the version of the Redis that is installed. @throws RedisMissingError where none is, or one that is too old */
function installedVersion(): string {
  const program = programPath('redis-server')
  if (program === undefined)
    throw new RedisMissingError(
      `The fleet demo starts a Redis of its own, and there is no redis-server on PATH. ${HOW_TO_GET_IT}`,
    )
  const [, version] = /v=(\d[\d.]*)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' })) ?? []
  if (version === undefined || Number.parseInt(version, 10) < MIN_MAJOR)
    throw new RedisMissingError(
      `The fleet demo needs Redis ${MIN_MAJOR} or later, for permissions by key. ${program} is ${version ?? 'of an unknown version'}. ${HOW_TO_GET_IT}`,
    )
  return version
}

/**
 * Starts a Redis on a free port of 127.0.0.1, with the users of a fleet and nobody else.
 *
 * @param folder A private folder, for the ACL file.
 * @throws RedisMissingError where Redis 7 or later is not installed
 */
export async function startFleetRedis(fleet: string, folder: string): Promise<FleetRedis> {
  const version = installedVersion()
  const password = (): string => randomBytes(24).toString('base64url')
  const passwords = { agent: password(), controller: password(), halter: password(), operator: password() }
  const users = aclFile(fleet, passwords)
  const path = join(folder, 'users.acl')
  // A file that does not name the user `default` lets everybody in.
  await writeFile(path, `user default off\n${users}`, { mode: 0o600 })
  const { port, stop } = await ownRedis('--aclfile', path)
  return {
    version,
    port,
    urlOf: (role) => `redis://chaos-${fleet}-${role}:${passwords[role]}@127.0.0.1:${port}`,
    stop,
  }
}

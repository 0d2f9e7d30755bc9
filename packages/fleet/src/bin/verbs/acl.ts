import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ChaosError } from '@chaos/core'
import { listed, messageOf, printable } from '@chaos/core/authoring'
import { variable } from '../../controller/variables.js'
import { aclFile, ROLES, userOf, type Role } from '../../transports/redis/acl.js'
import { usage } from '../arguments/arguments.js'
import { jsonOption } from '../arguments/common-options.js'
import { EXIT } from '../process/exit-codes.js'
import type { Verb } from '../verb.js'

/** The longest password that is read from a file, in bytes. */
const MAX_PASSWORD = 4_096

/** Writes the users of a fleet for Redis. */
export const acl: Verb = {
  summary: 'writes the users of the fleet for the ACL file of Redis 7 or later, or Valkey',
  notes: [
    'Each role has a password in a file of its own: `<folder>/<role>`. One that is there is read, any other is made, mode 0600.',
    'The ACL file holds hashes. Add its lines to the file that `aclfile` of redis.conf names, and run ACL LOAD.',
  ],
  options: {
    fleet: { value: '<name>', help: 'the fleet (default: CHAOS_FLEET)' },
    passwords: { value: '<folder>', help: 'the folder of the passwords; made if it is not there' },
    role: { value: '<role>', isMany: true, help: `only this role: ${ROLES.join(', ')} (default: all)` },
    out: {
      value: '<file>',
      help: 'write the lines to this file, mode 0600, which must not be there yet (default: standard output)',
    },
    ...jsonOption,
  },
  run(args, io) {
    const fleet = args.text('fleet') ?? variable('CHAOS_FLEET')
    if (fleet === undefined) throw usage('Name the fleet: `--fleet shop`.')
    const folder = args.text('passwords')
    if (folder === undefined || folder === '')
      throw usage(
        'Name the folder of the passwords: `--passwords secrets`. Passwords are never given on the command line.',
      )
    const roles = rolesIn(args.texts('role'))
    // Checks the name of the fleet before any file is made.
    aclFile(fleet, Object.fromEntries(roles.map((role) => [role, 'x'.repeat(16)])))
    const passwords = passwordsIn(folder, roles)
    const lines = aclFile(fleet, Object.fromEntries(passwords.map(({ role, password }) => [role, password])))
    // Written when everything has been checked; the file that may be there already first, so that no password is made for nothing.
    const out = args.text('out')
    if (out !== undefined) writeNew(out, lines)
    try {
      for (const { isNew, file, password } of passwords) if (isNew) writeNew(file, `${password}\n`)
    } catch (error) {
      // Its hashes would be those of passwords that nobody has.
      if (out !== undefined) rmSync(out)
      throw error
    }
    const users = passwords.map(({ role, file, isNew }) => ({
      role,
      user: userOf(fleet, role),
      passwordFile: file,
      isNew,
    }))
    if (args.isOn('json')) {
      io.json({ fleet, users, file: out ?? null, ...(out === undefined ? { acl: lines } : {}) })
      return Promise.resolve(EXIT.ok)
    }
    if (out === undefined) io.raw(lines.trimEnd())
    const say = out === undefined ? io.err : io.out
    if (out !== undefined) say(`wrote ${out}`)
    for (const { user, passwordFile, isNew } of users)
      say(`${user}: ${isNew ? 'made a password in' : 'has the password of'} ${passwordFile}`)
    say('the user `default` of Redis is left as it is: where it needs no password, everybody may do everything')
    return Promise.resolve(EXIT.ok)
  },
}

function rolesIn(given: readonly string[]): readonly Role[] {
  const unknown = given.find((name) => !ROLES.some((role) => role === name))
  if (unknown !== undefined) throw usage(`Unknown role "${unknown}". The roles are ${listed(ROLES)}.`)
  return given.length === 0 ? ROLES : ROLES.filter((role) => given.includes(role))
}

interface Password {
  readonly role: Role
  readonly password: string
  readonly file: string
  readonly isNew: boolean
}

/** The passwords of a folder, and new ones for those that are not there, which are not written yet. */
function passwordsIn(folder: string, roles: readonly Role[]): readonly Password[] {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw unusable(folder, messageOf(error), error)
  }
  return roles.map((role) => {
    const file = join(folder, role)
    const password = passwordIn(file)
    return { role, file, password: password ?? randomBytes(32).toString('base64url'), isNew: password === undefined }
  })
}

/** The password in a file; `undefined` if there is no file. */
function passwordIn(path: string): string | undefined {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unusable(path, messageOf(error), error)
  }
  try {
    const stats = fstatSync(file)
    if (!stats.isFile()) throw unusable(path, 'it is not a file')
    // Windows has no such modes, and reports 0666 for each file.
    if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0)
      throw unusable(path, 'others may read or write it. Run `chmod 600` on it')
    if (stats.size > MAX_PASSWORD) throw unusable(path, `it is longer than ${MAX_PASSWORD} bytes`)
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } finally {
    closeSync(file)
  }
}

function writeNew(path: string, text: string): void {
  try {
    // `wx` also refuses a symbolic link that somebody has put there.
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    throw unusable(path, messageOf(error), error)
  }
}

function unusable(path: string, why: string, cause?: unknown): ChaosError {
  return new ChaosError(
    'CHAOS_INVALID_OPTION',
    `${printable(path)} cannot be used: ${why}.`,
    cause === undefined ? {} : { cause },
  )
}

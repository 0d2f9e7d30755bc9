import { ChaosError } from '@chaos/core'
import { checkOptions, listed, optionsSchema } from '@chaos/core/authoring'
import { createHash } from 'node:crypto'
import { fleetName } from '../fleet-name.js'
import { keysOf, type Keys } from './keys.js'

/** Who may do what: an agent obeys, a controller runs, a halter stops, an operator permits. */
export type Role = 'agent' | 'controller' | 'halter' | 'operator'

/** All roles. */
export const ROLES: readonly Role[] = ['agent', 'controller', 'halter', 'operator']
const schema = optionsSchema({ fleet: fleetName })
/** Redis hashes passwords fast, so a short one can be guessed from a copy of the file. */
const MIN_PASSWORD = 16

/** Commands, and the keys on which a role may use them: to read (`%R`), to write (`%W`), or both. A script is held to them too. */
interface Grant {
  readonly commands: string
  readonly keys: readonly string[]
}

/** What every connection does: connecting itself, listening, scripts and transactions. */
const COMMON = 'ping select client|setname subscribe unsubscribe time multi exec eval evalsha'

const reading = (...keys: readonly string[]): readonly string[] => keys.map((key) => `%R~${key}`)
const writing = (...keys: readonly string[]): readonly string[] => keys.map((key) => `%W~${key}`)
const both = (...keys: readonly string[]): readonly string[] => keys.map((key) => `%RW~${key}`)

/**
 * The grants of each role. Each is narrow: who may both delete records and append to the audit log by one grant may delete the
 * log. The first grant holds what a connection needs, and the keys that scripts are called with.
 */
const RULES: Readonly<Record<Role, (keys: Patterns) => readonly [Grant, ...Grant[]]>> = {
  agent: ({ permit, halt, epoch, index, audit, instances, runs, places, acks }) => [
    { commands: `${COMMON} set del`, keys: both(instances) },
    { commands: 'zadd zrem zremrangebyscore', keys: writing(index) },
    { commands: 'exists get hmget pttl', keys: reading(permit, halt, epoch, runs, places[0]) },
    { commands: 'hset pexpire', keys: writing(acks) },
    { commands: 'xadd', keys: writing(audit) },
  ],
  controller: ({ permit, halt, epoch, index, running, audit, instances, runs, places, acks }) => [
    {
      commands: `${COMMON} publish set get del exists hset hget hmget hincrby pexpire pttl`,
      keys: both(runs, ...places),
    },
    {
      commands: 'exists get getrange pttl zrangebyscore hgetall',
      keys: reading(permit, halt, epoch, index, instances, acks),
    },
    { commands: 'zadd zrem zremrangebyscore zrevrange', keys: both(running) },
    { commands: 'xadd xrevrange', keys: both(audit) },
  ],
  halter: ({ halt, epoch, audit }) => [
    { commands: `${COMMON} publish role wait set get`, keys: both(epoch) },
    // With `set` it could replace a halt by one that runs out.
    { commands: 'setnx get', keys: both(halt) },
    { commands: 'xadd', keys: writing(audit) },
  ],
  operator: ({ permit, halt, epoch, index, running, audit, instances, runs, places, acks }) => [
    { commands: `${COMMON} publish role wait set get del exists pttl`, keys: both(permit, epoch) },
    { commands: 'setnx get del exists', keys: both(halt) },
    {
      commands: 'exists get getrange pttl zrangebyscore zrevrange hget hmget hgetall',
      keys: reading(index, running, instances, runs, ...places, acks),
    },
    { commands: 'xadd xrevrange', keys: both(audit) },
  ],
}

/** The keys of a fleet, with `*` in place of ids. */
interface Patterns extends Pick<Keys, 'permit' | 'halt' | 'epoch' | 'index' | 'running' | 'audit'> {
  readonly instances: string
  readonly runs: string
  readonly acks: string
  /** What runs take: instances and services. */
  readonly places: readonly [string, string]
}

function patternsOf(keys: Keys): Patterns {
  return {
    ...keys,
    instances: keys.instance('*'),
    runs: keys.run('*'),
    acks: keys.acks('*'),
    places: [`${keys.prefix}tgt:*`, `${keys.prefix}svc:*`],
  }
}

/** Returns the name of the user of a role in Redis. */
export function userOf(fleet: string, role: Role): string {
  return `chaos-${fleet}-${role}`
}

/**
 * Writes the users of a fleet for the ACL file of Redis 7 or later, or Valkey: one line each, with the hash of the password.
 * Add the lines to the file that `aclfile` names, and run `ACL LOAD`.
 *
 * An agent reads permit, halt, epoch and runs, and writes its record and its answers. A controller writes runs, and can
 * neither set nor lift a halt. A halter can stop, read the halt that is there, and do nothing else. An operator opens and
 * closes the window, lifts a halt, and reads all. None of them reaches keys outside the fleet, deletes the audit log, or
 * configures the server. Redis cannot keep who appends to a stream from trimming it (`XADD … MAXLEN`), so keep what must not be
 * lost elsewhere too.
 *
 * The user `default` is left as it is: an ACL file that does not name it lets everybody in.
 *
 * @param passwords At least 16 characters each. A role without a password gets no line, so one role can be added later.
 * @throws ChaosError `CHAOS_INVALID_OPTION`
 */
export function aclFile(fleet: string, passwords: Readonly<Partial<Record<Role, string>>>): string {
  checkOptions(schema, { fleet }, 'the ACL file')
  const keys = keysOf(fleet)
  const asked = ROLES.filter((role) => passwords[role] !== undefined)
  if (asked.length === 0) throw invalid(`Expected the password of at least one role: ${listed(ROLES)}.`)
  const lines = asked.map((role) => {
    const [first, ...more] = RULES[role](patternsOf(keys)).map(({ commands, keys: patterns }) =>
      [...patterns, ...commands.split(' ').map((command) => `+${command}`)].join(' '),
    )
    const user = `user ${userOf(fleet, role)} on resetpass #${hashOf(role, passwords[role])}`
    return [user, `resetkeys resetchannels &${keys.wake} -@all`, first, ...more.map((rules) => `(${rules})`)].join(' ')
  })
  return `${lines.join('\n')}\n`
}

function hashOf(role: Role, password: unknown): string {
  if (typeof password !== 'string' || password.length < MIN_PASSWORD)
    throw invalid(`Expected the password of the ${role} to be a string of at least ${MIN_PASSWORD} characters.`)
  return createHash('sha256').update(password).digest('hex')
}

const invalid = (message: string): ChaosError => new ChaosError('CHAOS_INVALID_OPTION', message)

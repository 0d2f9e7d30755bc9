import { createHmac, timingSafeEqual } from 'node:crypto'
import { isOver, openScope, type Scope } from './scope.js'
import { madeScopeState, rememberScope, scopeState } from './state.js'

/** The member of W3C Baggage that carries a scope to another process, or to another part of this one. */
const MEMBER = 'chaos'
/**
 * Its value: `<id>.<mac>`; of a scope that was minted, `<id>.<expiresAt>.<mac>`; of a scope within that,
 * `<id>.<minted id>.<expiresAt>.<mac>`. The time is in ms since the epoch, in base 36.
 */
const VALUE = /^([\w-]{1,64})(?:(?:\.([\w-]{1,64}))?\.([0-9a-z]{1,9}))?\.([\w-]{22})$/
/** The longest value that {@link VALUE} matches. */
const MAX_VALUE = 162
/** The longest `baggage` header that is read or added to: every platform carries as much. @see https://www.w3.org/TR/baggage/#limits */
const MAX_HEADER = 8_192
/** The most members that are looked at, from the last on: every platform carries as many. */
const MAX_MEMBERS = 64
/** The name of a scope of which only the id is known. */
const ELSEWHERE = 'another process'

/** Which members count. */
export interface MemberReading {
  /**
   * `any`: each that was written with the key. `minted`: only those that were minted and end by themselves, as suits the edge
   * of a system. Default `any`.
   */
  readonly accept?: 'any' | 'minted'
  /** The time in ms since the epoch. Default: that of the system clock. */
  readonly now?: number
}

/**
 * Writes a scope into the value of a `baggage` header. Other members stay.
 *
 * A scope within a minted one is written with the id and the end of that, so that the minted scope is known wherever the work
 * goes, and ends there when it ends here. If the header would be longer than 8,192 characters, it carries no scope.
 *
 * @param header The value that the application has given, if any.
 */
export function withScopeMember(scope: Scope, header?: string): string {
  const key = knownKey()
  if (key === undefined) return header ?? ''
  rememberScope(scope)
  const own = memberText(valueOf(scope), key)
  if (header === undefined) return own
  const others = withoutScopeMember(header)
  const all = others === '' ? own : `${others},${own}`
  return all.length > MAX_HEADER ? others : all
}

/** Takes the member out of the value of a `baggage` header. Other members stay. */
export function withoutScopeMember(header: string): string {
  return header
    .split(',')
    .filter((member) => member.trim() !== '' && nameOf(member) !== MEMBER)
    .join(',')
}

/**
 * Reads the scope from the value of a `baggage` header. A value that is malformed, expired, forged or too long is ignored. The
 * last of the last 64 members counts: a header that was passed on may have one of an earlier scope before it.
 *
 * @returns The scope of this process; for a scope of another process, one with its id. A minted scope is named by its id.
 */
export function scopeOfMember(header: string, reading: MemberReading = {}): Scope | undefined {
  const member = readMember(header, reading)
  if (member === undefined) return undefined
  const { id, minted, expiresAt } = member
  if (expiresAt === undefined) return found(id, undefined, ELSEWHERE, undefined)
  if (minted === undefined) return found(id, expiresAt, id, undefined)
  return found(id, expiresAt, ELSEWHERE, found(minted, expiresAt, minted, undefined))
}

/** Whether the value of a `baggage` header has a member that counts. Opens no scope. */
export function hasScopeMember(header: string, reading: MemberReading = {}): boolean {
  return readMember(header, reading) !== undefined
}

/** What a member that counts says. */
interface Member {
  readonly id: string
  /** The id of the minted scope that it is within. */
  readonly minted: string | undefined
  readonly expiresAt: number | undefined
}

function readMember(header: string, { accept = 'any', now }: MemberReading): Member | undefined {
  const value = header.length > MAX_HEADER ? undefined : lastValue(header)
  if (value === undefined || value.length > MAX_VALUE) return undefined
  const [, id, minted, end, mac] = VALUE.exec(value) ?? []
  if (id === undefined || mac === undefined) return undefined
  if (accept === 'minted' && (end === undefined || minted !== undefined)) return undefined
  const expiresAt = end === undefined ? undefined : Number.parseInt(end, TIME_BASE)
  if (expiresAt !== undefined && isOver({ expiresAt }, now)) return undefined
  const key = knownKey()
  if (key === undefined) return undefined
  const expected = macOf(value.slice(0, -mac.length - 1), key)
  return timingSafeEqual(Buffer.from(mac), Buffer.from(expected)) ? { id, minted, expiresAt } : undefined
}

/** Finds a scope by its id, or makes it. */
function found(id: string, expiresAt: number | undefined, name: string, parent: Scope | undefined): Scope {
  const known = scopeState()?.sent.get(id)
  if (known !== undefined && known.expiresAt === expiresAt) return known
  return rememberScope(openScope(name, { id, parent, numbered: false, expiresAt }))
}

const TIME_BASE = 36

/** What of a member is signed: everything before the MAC. */
function valueOf(scope: Scope): string {
  if (scope.expiresAt === undefined) return scope.id
  let minted = scope
  while (minted.parent?.expiresAt !== undefined) minted = minted.parent
  return minted === scope
    ? mintedValue(scope.id, scope.expiresAt)
    : `${scope.id}.${mintedValue(minted.id, scope.expiresAt)}`
}

/** What of the member of a minted scope is signed. */
export function mintedValue(id: string, expiresAt: number): string {
  return `${id}.${expiresAt.toString(TIME_BASE)}`
}

/** A member with its MAC. */
export function memberText(value: string, key: string): string {
  return `${MEMBER}=${value}.${macOf(value, key)}`
}

/** The value of the last member that carries a scope, without properties. Looks at a bounded number of members. */
function lastValue(header: string): string | undefined {
  let end = header.length
  for (let looked = 0; looked < MAX_MEMBERS && end > 0; looked += 1) {
    const comma = header.lastIndexOf(',', end - 1)
    const member = header.slice(comma + 1, end)
    if (nameOf(member) === MEMBER)
      return member
        .slice(member.indexOf('=') + 1)
        .split(';', 1)[0]
        ?.trim()
    end = comma
  }
  return undefined
}

function nameOf(member: string): string {
  return member.slice(0, Math.max(0, member.indexOf('='))).trim()
}

/** 128 bits of a MAC. */
function macOf(value: string, key: string): string {
  return createHmac('sha256', key).update(value).digest('base64url').slice(0, 22)
}

/** The key that processes share which should know each other's scopes: `CHAOS_SCOPE_KEY`. */
function givenKey(): string | undefined {
  const given = process.env['CHAOS_SCOPE_KEY']
  return given === '' ? undefined : given
}

/** The key of this process, if it has one yet. Without a key it knows no scope. */
function knownKey(): string | undefined {
  return givenKey() ?? scopeState()?.key
}

/** The key of this process: the given one, else one that the process draws when it first needs or mints a scope. */
export function scopeKey(): string {
  return givenKey() ?? madeScopeState().key
}

import { userInfo } from 'node:os'
import { basename } from 'node:path'
import { printable } from '@chaos/core/authoring'

/** The longest name of an actor, in characters. */
export const MAX_ACTOR = 200

/** What this process calls itself in the audit log: its user, its script and its process id. */
export function defaultActor(): string {
  return `${userName()}, ${basename(process.argv[1] ?? process.title)}, process ${process.pid}`
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // The user has no entry in the list of users, as in some containers.
    return 'an unnamed user'
  }
}

/** Writes an actor as a header, which holds ASCII characters alone. */
export const actorHeader = (actor: string): string =>
  printable(actor, { max: MAX_ACTOR }).replace(/[^ -~]|%/gu, (character) => encodeURIComponent(character))

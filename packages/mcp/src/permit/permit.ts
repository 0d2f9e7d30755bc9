import { checkOptions, option, optionsSchema } from '@chaos/core/authoring'

/** The longest time for which faults can be permitted, in ms: 4 hours. */
export const MAX_PERMIT_MS = 14_400_000
/** The most processes in one permit. */
export const MAX_PERMITTED = 100

/** One process by its id and start, or every process of a name. */
export interface PermittedProcess {
  readonly name: string
  readonly pid?: number | undefined
  /** When the process started, in ms since the epoch. Tells it from a later process with the same id. */
  readonly startedAt?: number | undefined
}

/** What a person has permitted: faults in these processes, until a time. Times are in ms since the epoch. */
export interface Permit {
  readonly version: 1
  readonly openedAt: number
  readonly expiresAt: number
  readonly processes: readonly PermittedProcess[]
}

const MAX_DATE_MS = 8_640_000_000_000_000
const at = (description: string) => option.number(description, 0, MAX_DATE_MS, 'a time in ms')

const processSchema = optionsSchema({
  name: option.text('The name of the process.', 1_000),
  pid: option.optional(option.count('The process id.', 1)),
  startedAt: option.optional(at('When it started.')),
})
const permitSchema = optionsSchema({
  version: option.count('The version of the format.', 1, 1),
  openedAt: at('When it was opened.'),
  expiresAt: at('When it ends.'),
  processes: option.list(option.object('A process.'), MAX_PERMITTED, 'processes'),
})

/**
 * Reads a permit that was stored as JSON.
 *
 * @throws Error when it is no permit, or one for longer than {@link MAX_PERMIT_MS}
 */
export function parsePermit(text: string): Permit {
  const { openedAt, expiresAt, processes } = checkOptions(permitSchema, JSON.parse(text) as unknown, 'the permit')
  if (expiresAt <= openedAt || expiresAt - openedAt > MAX_PERMIT_MS)
    throw new Error('it is for longer than permits are')
  return {
    version: 1,
    openedAt,
    expiresAt,
    processes: processes.map((one) => checkOptions(processSchema, one, 'a process of the permit')),
  }
}

/** How far the clock may have been set back since a permit was opened, in ms. */
const SKEW_MS = 5_000

/** Whether a permit is in force. One from the future is not: the clock was set back, which would prolong it. */
export function isInForce({ openedAt, expiresAt }: Permit, now: number): boolean {
  return openedAt <= now + SKEW_MS && now < expiresAt
}

/** Whether a permit names a process. */
export function names({ processes }: Permit, process: Required<PermittedProcess>): boolean {
  return processes.some(({ name, pid, startedAt }) =>
    pid === undefined ? name === process.name : pid === process.pid && startedAt === process.startedAt,
  )
}

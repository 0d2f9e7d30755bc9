import { busSubject } from './buses.js'
import { callSubject } from './calls.js'
import { httpSubject, startService } from './http.js'
import type { Subject } from './schedule.js'
import { streamSubject } from './streams.js'

/** Starts what the schedules of one kind share. */
export type StartKind = () => Promise<{
  readonly subject: () => Promise<Subject>
  readonly close: () => Promise<void>
}>

const nothing = (): Promise<void> => Promise.resolve()

/** The kinds of applications that schedules break. */
export const kinds: readonly (readonly [title: string, start: StartKind])[] = [
  ['emitters, event targets, subjects and ports', () => Promise.resolve({ subject: busSubject, close: nothing })],
  ['stores, their classes and plain objects', () => Promise.resolve({ subject: callSubject, close: nothing })],
  ['streams, cursors and iterations', () => Promise.resolve({ subject: streamSubject, close: nothing })],
  [
    'HTTP clients, a server and their connections',
    async () => {
      const service = await startService()
      return { subject: () => Promise.resolve(httpSubject(service)), close: service.close }
    },
  ],
]

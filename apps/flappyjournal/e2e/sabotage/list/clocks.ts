import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sabotage } from '../sabotage.js'
import { CLOCK, type Stage } from '../stage.js'

export const offsetWords = (offsetMs: number): string =>
  `${Math.abs(offsetMs) / 1_000} s ${offsetMs < 0 ? 'behind' : 'ahead'}`
export const jumpWords = (byMs: number): string => `${Math.abs(byMs) / 1_000} s ${byMs < 0 ? 'back' : 'ahead'}`
/** Words as part of a name. */
export const named = (words: string): string => words.replaceAll(' ', '-')

/** The app's clock is wrong by so many ms, from its start. */
export const clockAt =
  (offsetMs: number) =>
  ({ appArgs, appEnv }: Stage): void => {
    appArgs.push('--require', CLOCK)
    appEnv['CLOCK_OFFSET_MS'] = String(offsetMs)
  }

/** The app's clock can jump: it goes by so many ms once the fault has landed. */
export const clockJumps = (byMs: number): Pick<Sabotage, 'prepare' | 'act'> => ({
  prepare({ appArgs, appEnv, folder }) {
    appArgs.push('--require', CLOCK)
    appEnv['CLOCK_FILE'] = join(folder, 'clock')
  },
  act: ({ moments, folder }) => moments.at('landed', () => writeFile(join(folder, 'clock'), String(byMs)), 300),
})

/** Neither supervisor nor alerts: only the readings of probes show that nothing recovers. */
const helpless = (stage: Stage): void => {
  stage.appEnv['SUPERVISOR_RESTART'] = 'off'
  stage.readsAlerts = false
  stage.alter((experiment) => {
    delete experiment['alerts']
  })
}

const notRecovered = ['weakness-found', 'inconclusive'] as const

/** The app is sick, and its clock is wrong. */
export const clocks: readonly Sabotage[] = [
  ...[-12_000, 12_000, -3_600_000, 3_600_000].map((offsetMs): Sabotage => ({
    name: `clock-${named(offsetWords(offsetMs))}-supervisor-off`,
    title: `The app's clock is ${offsetWords(offsetMs)}, the supervisor is off, no alerts`,
    experiment: 'worker',
    expected: offsetMs === -12_000 ? ['weakness-found'] : notRecovered,
    prepare(stage) {
      clockAt(offsetMs)(stage)
      helpless(stage)
    },
  })),
  ...[-30_000, 30_000].map((byMs): Sabotage => ({
    name: `clock-jumps-${named(jumpWords(byMs))}-supervisor-off`,
    title: `The app's clock jumps ${jumpWords(byMs)} when the worker is killed, the supervisor is off, no alerts`,
    experiment: 'worker',
    expected: notRecovered,
    act: (stage) => clockJumps(byMs).act?.(stage),
    async prepare(stage) {
      await clockJumps(byMs).prepare?.(stage)
      helpless(stage)
    },
  })),
]

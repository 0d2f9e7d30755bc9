import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Sabotage } from '../sabotage.js'
import type { Stage } from '../stage.js'

const run = promisify(execFile)

/** Stops the app with all of its threads for so long. */
const stopped =
  (moment: 'landed' | 'ended', afterMs: number, forMs: number) =>
  ({ moments, app }: Stage): void => {
    moments.at(moment, () => app.child.kill('SIGSTOP'), afterMs)
    moments.at(moment, () => app.child.kill('SIGCONT'), afterMs + forMs)
  }

/** Lets reports be written where there is hardly any room: on a small file system of its own, or with a limit on the size of files. */
export async function fullDisk(stage: Stage): Promise<void> {
  const folder = join(stage.folder, 'reports-1')
  await mkdir(folder)
  const isMounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', folder]).then(
    () => true,
    () => false,
  )
  if (isMounted) stage.defer(() => run('umount', [folder]))
  else stage.cliPrefix.push('bash', '-c', 'ulimit -f 16; exec "$@"', 'limited')
}

/** The machine fails the run. */
export const machines: readonly Sabotage[] = [
  {
    name: 'stopped-during-fault',
    title: 'The app is stopped for five seconds while the fault is in force',
    experiment: 'eventbus',
    expected: ['weakness-found', 'inconclusive', 'alert-failed'],
    isAlone: true,
    act: stopped('landed', 6_000, 5_000),
  },
  {
    name: 'stopped-during-recovery',
    title: 'The app is stopped for five seconds during the recovery',
    experiment: 'worker',
    expected: ['weakness-found', 'inconclusive', 'alert-failed'],
    isAlone: true,
    act: stopped('ended', 4_000, 5_000),
  },
  {
    name: 'stopped-for-good',
    title: 'The app is stopped after the kill, and never goes on',
    experiment: 'worker',
    expected: ['weakness-found', 'inconclusive'],
    act: ({ moments, app }) => moments.at('landed', () => app.child.kill('SIGSTOP'), 500),
  },
  {
    name: 'report-disk-full',
    title: 'The disk for reports is full, and the supervisor is off',
    experiment: 'worker',
    expected: ['weakness-found', 'refused'],
    async prepare(stage) {
      stage.appEnv['SUPERVISOR_RESTART'] = 'off'
      await fullDisk(stage)
    },
  },
]

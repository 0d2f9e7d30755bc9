import { fileURLToPath } from 'node:url'
import { run } from './run.js'

/** Ends the output of one program of a group. */
const END = '\u0001end of a program\n'
/** Programs of one process: more of them save little, and are all run again if one does not end. */
const GROUP = 8
const RUNNER = fileURLToPath(new URL('example-group.mjs', import.meta.url))

/**
 * Runs programs one after the other in few processes, since most of the time of an example is the start of its process.
 *
 * @returns What each program has printed; `undefined` where its process failed, or did not end by itself.
 */
export function outputsOf(files: readonly string[]): readonly Promise<string | undefined>[] {
  const env = { ...process.env, NODE_ENV: 'test' }
  let before: Promise<unknown> = Promise.resolve()
  const groups: Promise<readonly string[]>[] = []
  for (let from = 0; from < files.length; from += GROUP) {
    const args = [RUNNER, ...files.slice(from, from + GROUP)]
    const group = before.then(async () => {
      const { exitCode, stdout } = await run(process.execPath, args, { timeoutMs: 60_000, env })
      return exitCode === 0 ? stdout.split(END) : []
    })
    before = group.catch(() => undefined)
    groups.push(group)
  }
  return files.map(async (_file, at) => (await groups[Math.floor(at / GROUP)])?.[at % GROUP])
}

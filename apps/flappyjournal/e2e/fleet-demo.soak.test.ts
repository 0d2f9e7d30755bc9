import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ResultJournal } from '@chaos/experiment'
import { hasPrograms } from '@chaos/test-servers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { appFolder } from '../src/config.js'
import { endedBy } from './ended-demo.js'
import { folder } from './helpers.js'

const STEPS = 6

/** Plays the demo to its end. @param onLine Receives each line of its output */
async function play(reports: string, onLine: (line: string) => void = () => undefined) {
  const demo = spawn(process.execPath, ['dist/demo.js', '--fleet', '--report', reports], {
    cwd: appFolder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void demo.kill('SIGKILL'))
  const ended = once(demo, 'close')
  const lines: string[] = []
  for await (const line of createInterface({ input: demo.stdout })) {
    lines.push(line)
    onLine(line)
  }
  const [code] = (await ended) as [number | null]
  return { code, out: lines.join('\n') }
}

const isQuick = process.env['CHAOS_SOAK'] === 'quick'

describe.runIf(hasPrograms('redis-server'))(
  'the demo of a fleet (skipped without `redis-server`: Debian package redis-server)',
  () => {
    it('leaves no process and no file behind when it is ended by SIGINT while an experiment runs', async () => {
      const { code, summary } = await endedBy('SIGINT', 'steady-state: ')
      expect(code).toBe(130)
      expect(summary).toContain(`3 of ${STEPS} steps held`)
    })

    it.skipIf(isQuick)('shows what it claims, step by step', async () => {
      const reports = await folder()
      const { code, out } = await play(reports)
      expect(out.match(/^Held: /gm), out).toHaveLength(STEPS)
      expect(out).toContain(`${STEPS} of ${STEPS} steps held`)
      expect(code).toBe(0)
      const { experiments } = JSON.parse(
        await readFile(join(reports, 'a-third', 'journal.json'), 'utf8'),
      ) as ResultJournal
      expect(experiments.map(({ verdict }) => verdict.name)).toEqual(['pass'])
    })

    it.skipIf(isQuick)('fails when a server dies under it, and says what did not hold', async () => {
      let isKilled = false
      const { code, out } = await play(await folder(), (line) => {
        const [, pid] = /^journal-2 +│ (\d+) +│/.exec(line) ?? []
        if (pid === undefined || isKilled) return
        isKilled = true
        process.kill(Number(pid), 'SIGKILL')
      })
      expect(out, out).toContain('NOT HELD: ')
      expect(code).toBe(1)
    })
  },
)

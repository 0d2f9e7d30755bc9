/**
 * Plays the demo `--times N` times (default 20; none in the quick form, since `.ci/run` plays it from a fresh clone), `--parallel N` at once (default 1), on the app as it is. No run may find a weakness, nor may one
 * fail to pass; runs that say that the machine was too slow are repeated, and listed.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { ResultJournal } from '@chaos/experiment'

const { values: flags } = parseArgs({
  options: {
    times: { type: 'string', default: process.env['CHAOS_SOAK'] === 'quick' ? '0' : '20' },
    parallel: { type: 'string', default: '1' },
    all: { type: 'boolean', default: false },
  },
})

interface Demo {
  readonly code: number | null
  readonly verdicts: readonly { readonly title: string; readonly name: string; readonly cause: string }[]
  readonly output: string
}

/** One demo, with ports and folders of its own. */
async function demo(): Promise<Demo> {
  const reports = await mkdtemp(join(tmpdir(), 'flappy-demo-'))
  try {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('./demo.js', import.meta.url)), '--report', reports, ...(flags.all ? ['--all'] : [])],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    const [code] = (await once(child, 'close')) as [number | null]
    const text = await readFile(join(reports, 'journal.json'), 'utf8').catch(() => '{"experiments":[]}')
    const { experiments } = JSON.parse(text) as ResultJournal
    return {
      code,
      output,
      verdicts: experiments.map(({ title, verdict }) => ({ title, name: verdict.name, cause: verdict.cause })),
    }
  } finally {
    await rm(reports, { recursive: true, force: true })
  }
}

const times = Number(flags.times)
const MAX_REPEATS = 2 * times
const [passed, slow, wrong]: [number[], string[], string[]] = [[], [], []]
let started = 0
let open = times
async function player(): Promise<void> {
  while (open > 0 && slow.length <= MAX_REPEATS) {
    open -= 1
    started += 1
    const number = started
    const { code, verdicts, output } = await demo()
    const bad = verdicts.filter(({ name }) => name !== 'pass')
    const words = bad.map(({ title, name, cause }) => `${title}: ${name}. ${cause}`).join(' ')
    console.log(`demo ${number}: exit ${code ?? 'by a signal'}. ${words === '' ? `${verdicts.length} passed.` : words}`)
    if (code === 0 && verdicts.length > 0 && bad.length === 0) passed.push(number)
    else if (bad.length > 0 && bad.every(({ name }) => name === 'inconclusive')) {
      slow.push(words)
      open += 1
    } else wrong.push(verdicts.length > 0 ? words : output.slice(-2_000))
  }
}
await Promise.all(Array.from({ length: Math.max(1, Number(flags.parallel)) }, player))
console.log(
  `\n${passed.length} of ${times} demos passed, ${slow.length} were inconclusive and repeated, ${wrong.length} were wrong.`,
)
for (const words of slow) console.log(`repeated: ${words}`)
for (const words of wrong) console.log(`wrong: ${words}`)
process.exit(passed.length === times && wrong.length === 0 ? 0 : 1)

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { hasPrograms } from '@chaos/test-servers'
import { bin, environment, privateFolder, startApp, startClient } from './support.js'

/** Types a command at a terminal of its own. */
async function typed(sockets: string, args: readonly string[], answer: (said: string) => string | undefined) {
  const command = [process.execPath, bin, ...args].map((part) => `'${part}'`).join(' ')
  const terminal = spawn('script', ['-qec', command, '/dev/null'], { env: environment(sockets), stdio: 'pipe' })
  onTestFinished(() => void terminal.kill('SIGKILL'))
  let said = ''
  let isAnswered = false
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    const line = isAnswered ? undefined : answer(said)
    if (line === undefined) return
    isAnswered = true
    terminal.stdin.write(`${line}\n`)
  })
  const [code] = (await once(terminal, 'close')) as [number]
  return { code, said }
}

/** What the command asks to be typed, once it has asked. */
const asked = (said: string): string | undefined => /Type "(open \w{4})"/.exec(said)?.[1]

/** Runs a command without a terminal. */
async function untyped(sockets: string, ...args: readonly string[]) {
  const command = spawn(process.execPath, [bin, ...args], { env: environment(sockets), stdio: 'pipe' })
  onTestFinished(() => void command.kill('SIGKILL'))
  let said = ''
  for (const stream of [command.stdout, command.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text))
  command.stdin.end('open abcd\n')
  const [code] = (await once(command, 'close')) as [number]
  return { code, said }
}

describe.runIf(hasPrograms('script'))(
  'chaos-mcp open, typed at a terminal (skipped without `script`: Debian package bsdutils)',
  () => {
    it('permits faults in the processes that it lists, after the person has typed what it asks for', async () => {
      const sockets = privateFolder()
      const { child } = await startApp(sockets)
      const { call } = await startClient(sockets)
      const opened = await typed(sockets, ['open', '--for', '10m', '--process', String(child.pid)], asked)
      expect(opened.said).toContain(`process ${String(child.pid)}, test-app`)
      expect(opened.said).toContain('Permitted.')
      expect(opened.code).toBe(0)
      const path = join(sockets, 'mcp-permit.json')
      expect(statSync(path).mode & 0o777).toBe(0o600)
      expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
        processes: [{ pid: child.pid, name: 'test-app' }],
      })
      expect((await call('inject', { target: 'bus', fault: 'drop-events' })).isError).toBe(false)

      expect(await untyped(sockets, 'close')).toMatchObject({
        code: 0,
        said: expect.stringContaining('Withdrawn.') as string,
      })
      expect((await call('inject', { target: 'bus', fault: 'drop-events' })).text).toContain('CHAOS_ARMING_CLOSED')
      const { said } = await untyped(sockets, 'audit')
      for (const line of [
        /person {2}open +done/,
        /model {3}inject +begun/,
        /model {3}inject +done/,
        /person {2}close +done/,
        /model {3}inject +refused/,
      ])
        expect(said).toMatch(line)
    })

    it('permits a name, also for processes that start later', async () => {
      const sockets = privateFolder()
      const opened = await typed(sockets, ['open', '--process', 'later-app'], asked)
      expect(opened.said).toContain('every process named later-app, also later ones (none runs now)')
      await startApp(sockets, 'later-app')
      const { call } = await startClient(sockets)
      expect((await call('plan', { target: 'bus', fault: 'drop-events' })).data).toMatchObject({ possible: true })
    })

    it('permits nothing when something else is typed', async () => {
      const sockets = privateFolder()
      await startApp(sockets)
      const refused = await typed(sockets, ['open'], (said) => (asked(said) === undefined ? undefined : 'yes'))
      expect(refused).toMatchObject({ code: 4, said: expect.stringContaining('It was not confirmed') as string })
      expect((await untyped(sockets, 'close')).said).toContain('Nothing was permitted.')
    })
  },
)

describe('chaos-mcp without a terminal', () => {
  it('permits nothing, whatever is written to its input, and the refusal is in the audit log', async () => {
    const sockets = privateFolder()
    await startApp(sockets)
    const refused = await untyped(sockets, 'open', '--for', '10m')
    expect(refused).toMatchObject({ code: 4, said: expect.stringContaining('(CHAOS_TERMINAL_REQUIRED)') as string })
    expect((await untyped(sockets, 'close')).said).toContain('Nothing was permitted.')
    const { said } = await untyped(sockets, 'audit', '--json')
    expect(
      said
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([
      { by: 'person', action: 'open', outcome: 'refused', code: 'CHAOS_TERMINAL_REQUIRED' },
      { by: 'person', action: 'close', outcome: 'done' },
    ])
  })
})

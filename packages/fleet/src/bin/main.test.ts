import { beforeEach, expect, it, vi } from 'vitest'
import { main } from './main.js'

beforeEach(() => {
  for (const name of ['URL', 'ENVIRONMENT', 'KEY'].map((end) => `CHAOS_FLEET_${end}`)) vi.stubEnv(name, '')
  vi.stubEnv('CHAOS_FLEET', '')
})

/** Runs the command within this process. */
async function fleet(...argv: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await main(argv, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    isTerminal: false,
    size: () => ({ columns: 80, rows: 24 }),
    signal: new AbortController().signal,
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

const VERBS = ['ls', 'plan', 'run', 'watch', 'halt', 'open', 'close', 'audit', 'acl', 'key', 'render']
const ON = ['--on', 'redis://chaos-shop-halter:hidden@127.0.0.1:1?fleet=shop']

it('has a help that names each verb, and one for each verb', async () => {
  const { code, out, err } = await fleet('--help')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  for (const verb of VERBS) {
    expect(out).toMatch(new RegExp(`^  ${verb} +\\w`, 'm'))
    const help = await fleet(verb, '--help')
    expect(help).toMatchObject({ code: 0, err: '' })
    expect(help.out).toMatch(new RegExp(`^Usage: chaos fleet ${verb}.*\\[options\\]$`, 'm'))
    expect(help.out).toContain('--json')
  }
  expect((await fleet()).code).toBe(2)
  expect((await fleet('--version')).out).toMatch(/^\d+\.\d+\.\d+/)
})

it.each([
  [['lss'], /Unknown command "lss"\. Did you mean "ls"\?/],
  [['constructor'], /Unknown command/],
  [['ls', '--jsn'], /Did you mean "--json"\?/],
  [['ls', 'more'], /Unexpected argument `more`/],
  [['ls', '--limit', '0', ...ON], /--limit/],
  [['ls', '--limit', 'x', ...ON], /`--limit` to be a number/],
  [['ls', ...ON, ...ON], /`--on` was given 2 times/],
  [['ls'], /CHAOS_FLEET_URL/],
  [['ls', '--on', 'not a url hidden'], /not a URL/],
  [['ls', '--on', 'http://127.0.0.1?fleet=shop'], /no URL that begins with `http:`/],
  [['ls', '--on', 'redis://127.0.0.1'], /Name the fleet/],
  [['ls', '--on', 'redis://127.0.0.1?fleet=shop&enviroment=staging'], /Did you mean "environment"\?/],
  [['ls', '--on', 'redis://127.0.0.1?fleet=a*b'], /the name of the fleet|a name of letters/i],
  [['open', ...ON], /--for/],
  [['open', '--for', '25h', ...ON], /at most 1 d/],
  [['open', '--for', '2', ...ON], /`2s`/],
  [['open', '--for', '-2h', ...ON], /--for/],
  [['open', '--for', '1e3h', ...ON], /a time such as/],
  [['open', '--for', '2h', ...ON], /--reason/],
  [['open', '--for', '2h', '--reason', ' ', ...ON], /--reason/],
  [['ls', '--limit', '-1', ...ON], /'--limit' argument is ambiguous\. Did you forget/],
  [['plan', ...ON], /Name an experiment file, or a target and a fault/],
  [['plan', 'db', ...ON], /no experiment/],
  [['plan', 'a.yaml', '--for', '2s', ...ON], /`--for` is for one fault/],
  [['plan', 'db', 'delay', '--var', 'A=1', ...ON], /`--var` is for experiments/],
  [['plan', 'db', 'delay', 'more', ...ON], /Unexpected argument/],
  [['plan', 'db', 'delay', ...ON], /environment/],
  [['run', 'db', 'delay', '--report', 'x', ...ON], /`--report` is for experiments/],
  [['run', 'db', 'delay', '--option', 'x', ...ON], /name=value/],
  [['run', 'db', 'delay', '--option', 'x=1', '--option', 'x=2', ...ON], /twice/],
  [['run', 'db', 'delay', '--option', '__proto__=1', '--for', '0', ...ON], /longer than 0/],
  [['run', 'missing.yaml', ...ON], /cannot be read/],
  [['run', 'missing.yaml', '--alerts-url', 'http://u:hidden@127.0.0.1', ...ON], /--alerts-url/],
  [['audit', '--journal', 'x', '--follow', ...ON], /--follow/],
  [['render'], /Name a file/],
  [['render', 'missing.yaml'], /missing\.yaml cannot be used/],
])('refuses %j with a usage error, a next step, and no output', async (argv, why) => {
  const { code, out, err } = await fleet(...argv)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toMatch(why)
  expect(err).toMatch(/^next: see `chaos fleet /m)
  expect(err).not.toContain('hidden')
})

it('shows no password when the engine is away', async () => {
  const { code, err } = await fleet('halt', ...ON)
  expect(code).toBe(3)
  expect(err).toContain('CHAOS_FLEET_UNREACHABLE')
  expect(err).not.toContain('hidden')
})

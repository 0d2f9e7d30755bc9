import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { code, testCode } from './code.js'
import { commandLine } from './command-line.js'
import { experiment } from './experiment.js'
import { literal } from './literal.js'

const info = {
  name: 'a/b',
  kind: 'standing',
  summary: '',
  options: {
    properties: {
      delayMs: { type: 'number' },
      name: { type: 'string' },
      methods: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
    },
  },
} as const
const request = { target: 'bus', fault: 'a/b', leaseMs: 30_000 }
const PLACE = ['--pid', '4711']

describe('a literal', () => {
  it('means the JSON value that it was made of, whatever its texts and keys', () => {
    const keys = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('__proto__', 'constructor', '0', 'a-b'))
    const values = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.oneof(
          fc.oneof(fc.string(), fc.constantFrom("it's", '"', '\\', '\r\n', '\u2028', '${x}', '`', '\ud800')),
          fc.double({ noNaN: true, noDefaultInfinity: true }),
          fc.boolean(),
          fc.constant(null),
        ),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
      ),
    })).value
    fc.assert(
      fc.property(values, (value) => {
        const meant = globalThis.eval(`(${literal(value)})`) as unknown
        expect(JSON.stringify(meant)).toBe(JSON.stringify(value))
      }),
    )
  })
})

describe('a command line', () => {
  const line = (options: Readonly<Record<string, unknown>>, how = {}): string | undefined =>
    commandLine({ ...request, options, ...how }, info, PLACE).text

  it('writes times with a unit, numbers without an exponent, and quotes what a shell would read', () => {
    expect(line({ delayMs: 0.000_000_1 }, { leaseMs: 1_500, rate: 0.1 })).toBe(
      'npx chaos inject bus a/b --delay-ms 0.0000001 --for 1500ms --rate 0.1 --pid 4711',
    )
    expect(line({ name: `it's $HOME` })).toContain(`--with-name 'it'\\''s $HOME'`)
  })

  it('repeats a flag for each name, and joins a value that begins with a dash', () => {
    expect(line({ methods: ['get', '-set'] }, { only: 'a*' })).toContain(
      `--methods get --methods=-set --for 30s --only 'a*'`,
    )
  })

  it('writes a scope by its id, and a choice of requests as its flags', () => {
    expect(line({}, { scope: 'mine-1' })).toContain('--scope mine-1')
    expect(line({}, { scope: { route: 'GET /a*', user: ['ada', 'b*'] } })).toContain(
      `--route 'GET /a*' --user ada --user 'b*'`,
    )
    expect(line({}, { scope: { sessions: 0.1, seed: 7 } })).toContain('--sessions 0.1 --sessions-seed 7')
    expect(commandLine({ ...request, scope: { tenant: 'a,b' } }, info, PLACE)).toHaveProperty('problem')
  })

  it('says what it cannot express', () => {
    expect(commandLine({ ...request, options: { methods: 'a,b' } }, info, PLACE)).toHaveProperty('problem')
    expect(commandLine({ ...request, target: '-x' }, info, PLACE)).toHaveProperty('problem')
    expect(commandLine({ ...request, fault: '--url=http://other.example' }, info, PLACE)).toHaveProperty('problem')
  })

  it.each(['\u0003', '\n', '\t', '\u001b', '\u009b', '\u202e', '\u2028'])(
    'has nothing that a terminal obeys when it is pasted: %j',
    (letter) => {
      const name = `bus${letter}`
      for (const hostile of [
        { ...request, target: name },
        { ...request, fault: name },
        { ...request, options: { name } },
        { ...request, options: { methods: [name] } },
        { ...request, only: name },
      ])
        expect(commandLine(hostile, info, PLACE)).toEqual({
          problem: expect.stringContaining('control character') as string,
        })
    },
  )

  it('holds the fault if the page would', () => {
    expect(line({}, { connection: 'an id of the page' })).toContain('--hold connection')
    expect(line({}, { connection: 'an id of the page' })).not.toContain('an id of the page')
  })
})

describe('code', () => {
  it('reaches the process as the command does, and names the token without showing one', () => {
    const { text, note } = code(request, ['--url', 'http://127.0.0.1:3000/chaos']) as { text: string; note: string }
    expect(text).toContain(`chooseProcess({ url: 'http://127.0.0.1:3000/chaos' })`)
    expect(note).toContain('CHAOS_TOKEN')
    const file = ['--url', 'http://127.0.0.1:3000/chaos', '--token-file', '/etc/token']
    expect(code(request, file)).toMatchObject({ text: expect.stringContaining(`tokenFile: '/etc/token'`) as string })
    expect(code(request, file)).toHaveProperty('note', undefined)
    expect(testCode(request, PLACE).text).toContain(`chooseProcess({ pid: '4711' })`)
  })
})

describe('code and an experiment', () => {
  it('show what reorders or hides text, and mean the same', () => {
    const options = { name: 'a\u202eb\u2066\u007f' }
    for (const { text = '' } of [code({ ...request, options }, PLACE), testCode({ ...request, options }, PLACE)])
      expect(text).toContain(String.raw`{ name: 'a\u202eb\u2066\u007f' }`)
    expect(experiment({ ...request, options }).text).toContain(String.raw`{"name":"a\u202eb\u2066\u007f"}`)
  })
})

describe('an experiment', () => {
  it('says what it cannot express', () => {
    expect(experiment({ ...request, options: { body: 'the ${NAME}' } })).toHaveProperty('problem')
    expect(experiment({ ...request, leaseMs: 86_400_001 })).toHaveProperty('problem')
  })
})

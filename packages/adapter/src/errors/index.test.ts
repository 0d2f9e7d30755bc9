import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { describeError } from '../../test/describe-error.js'
import { errorPresetNames, errorPresets, type ErrorMaker } from './index.js'

const page = readFileSync(fileURLToPath(new URL('../../../../docs/presets.md', import.meta.url)), 'utf8')
const call = { host: '10.0.0.7', port: 6379, method: 'get', args: ['key'] }

describe('the presets', () => {
  it.each(errorPresetNames.filter((name) => name.includes('/')))('%s stands in the fidelity table', (name) => {
    expect(page).toContain(`| \`${name}\` | `)
  })

  it.each(errorPresetNames)('%s is made afresh for each call', (name) => {
    const make: ErrorMaker = errorPresets[name]
    const [first, second] = [make(call), make(call)]
    expect(first).toBeInstanceOf(Error)
    expect(first).not.toBe(second)
    expect(describeError(first)).toEqual(describeError(second))
  })

  // No driver is imported here: stand-ins are made.
  it.each([
    [
      'postgres/deadlock',
      call,
      'DatabaseError',
      { name: 'error', code: '40P01', severity: 'ERROR', routine: 'DeadLockReport' },
    ],
    ['redis/readonly', call, 'ReplyError', { name: 'ReplyError', command: { name: 'get', args: ['key'] } }],
    ['redis/readonly', { ...call, target: { isReady: true } }, 'SimpleError', { name: 'Error' }],
    ['redis/max-retries', call, 'MaxRetriesPerRequestError', { name: 'MaxRetriesPerRequestError' }],
  ] as const)('%s looks the same where no driver is loaded', (name, failing, className, fields) => {
    const make: ErrorMaker = errorPresets[name]
    expect(make(failing)).toMatchObject(fields)
    expect(make(failing).constructor.name).toBe(className)
  })
})

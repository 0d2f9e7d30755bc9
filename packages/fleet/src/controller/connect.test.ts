import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { manualClock } from '@chaos/core/testing'
import { expect, it, vi } from 'vitest'
import { testEngine } from '../../test/engine.js'
import { instances, refusal } from '../../test/fixtures.js'
import { makeKey, writeKeyFiles } from '../plan/key-files.js'
import type { OpenTransport } from './address.js'
import { fleetConnector } from './connect.js'
import { connect as connectAny } from './index.js'

const { transport } = testEngine(manualClock(), instances(3))
const open = vi.fn<OpenTransport>(() => transport)
const connect = fleetConnector({ redis: open })
const key = makeKey('ops')

it('takes the fleet and its environment from the URL, and hands the rest to the transport', async () => {
  open.mockImplementation(() => transport)
  const controller = await connect('redis://u:p@127.0.0.1:6379/2?fleet=shop&environment=staging&tls=x', { key })
  expect(open).toHaveBeenLastCalledWith('redis://u:p@127.0.0.1:6379/2?tls=x', 'shop', undefined)
  expect((await controller.plan('db', 'delay-calls')).plan).toMatchObject({ fleet: 'shop', environment: 'staging' })
})

it('prefers options to the URL, and the URL to the environment', async () => {
  open.mockImplementation(() => transport)
  vi.stubEnv('CHAOS_FLEET', 'of-the-variable')
  vi.stubEnv('CHAOS_FLEET_ENVIRONMENT', 'staging')
  await connect('redis://h', { key })
  expect(open).toHaveBeenLastCalledWith('redis://h', 'of-the-variable', undefined)
  await connect('redis://h?fleet=of-the-url', { key })
  expect(open).toHaveBeenLastCalledWith('redis://h', 'of-the-url', undefined)
  await connect('redis://h?fleet=of-the-url', { key, fleet: 'of-the-option' })
  expect(open).toHaveBeenLastCalledWith('redis://h', 'of-the-option', undefined)
})

it('takes the password from the environment, unless the URL has one', async () => {
  open.mockImplementation(() => transport)
  vi.stubEnv('CHAOS_FLEET_PASSWORD', 'a%41 @:/ü')
  const opened = async (url: string): Promise<URL> => {
    await connect(`${url}?fleet=shop&environment=staging`, { key })
    return new URL(open.mock.lastCall?.[0] ?? '')
  }
  const { username, password, host } = await opened('redis://me@h:1')
  expect([username, decodeURIComponent(password), host]).toEqual(['me', 'a%41 @:/ü', 'h:1'])
  expect(decodeURIComponent((await opened('redis://h')).password)).toBe('a%41 @:/ü')
  expect((await opened('redis://me:own@h')).password).toBe('own')
  vi.stubEnv('CHAOS_FLEET_PASSWORD', '')
  expect((await opened('redis://me@h')).href).toBe('redis://me@h')
})

it('reads key, policy and journal from the files that the environment names', async () => {
  open.mockImplementation(() => transport)
  const folder = mkdtempSync(join(tmpdir(), 'fleet-plan-'))
  const file = (name: string): string => join(folder, name)
  writeKeyFiles(file('ops.pem'))
  writeFileSync(file('policy.json'), JSON.stringify({ version: 1, rules: [] }))
  vi.stubEnv('CHAOS_FLEET_KEY', file('ops.pem'))
  vi.stubEnv('CHAOS_FLEET_POLICY', file('policy.json'))
  vi.stubEnv('CHAOS_FLEET_JOURNAL', file('journal.jsonl'))
  const controller = await connect('redis://h?fleet=shop&environment=staging')
  await expect(controller.check('db', 'delay-calls')).rejects.toEqual(
    refusal('CHAOS_FLEET_RUN_REFUSED', 'The policy has no rules'),
  )
  expect(readFileSync(file('journal.jsonl'), 'utf8')).toBe('')
  vi.stubEnv('CHAOS_FLEET_POLICY', '/dev/zero')
  await expect(connect('redis://h?fleet=shop&environment=staging')).rejects.toEqual(
    refusal('CHAOS_INVALID_OPTION', 'it is not a file'),
  )
  vi.stubEnv('CHAOS_FLEET_POLICY', file('policy.json'))
  writeFileSync(file('policy.json'), 'version: 1')
  await expect(connect('redis://h?fleet=shop&environment=staging')).rejects.toEqual(
    refusal('CHAOS_INVALID_OPTION', 'cannot be read as JSON'),
  )
})

it.each([
  ['fleet+unix://host/relay.sock', 'three slashes'],
  ['fleet+unix:///', 'three slashes'],
  ['fleet+unix:relay.sock', 'three slashes'],
  ['fleet+unix:///%', 'three slashes'],
  ['fleet+unix:///a%00b', 'three slashes'],
])('refuses %s as the URL of a relay', async (url, why) => {
  const refused = refusal('CHAOS_INVALID_OPTION', why)
  await expect(connectAny(`${url}?fleet=a&environment=b`, { key })).rejects.toEqual(refused)
})

it.each([
  ['redis://h?fleet=a&enviroment=b', 'Unknown parameter in the URL of a fleet "enviroment"|Did you mean "environment"'],
  ['redis://h?fleet=a&environment=b&tls=true', 'begins with `rediss:`'],
  ['fleet+unix:///a/b?fleet=a&environment=b&timeout=1', 'timeout'],
])('refuses a parameter that it does not know: %s', async (url, why) => {
  vi.stubEnv('CHAOS_FLEET_ENVIRONMENT', 'staging')
  const refused = expect.objectContaining({
    code: 'CHAOS_INVALID_OPTION',
    message: expect.stringMatching(why) as string,
  }) as Error
  await expect(connectAny(url, { key })).rejects.toEqual(refused)
})

it.each([
  ['no URL', 'localhost 6379', 'is not a URL'],
  ['a fleet twice', 'redis://h?fleet=a&fleet=b&environment=c', 'has `fleet` twice'],
  ['another scheme', 'https://h?fleet=a&environment=b', 'begins with `https:`. Use `redis`'],
  ['a scheme that is a member of every object', 'constructor://h', 'begins with `constructor:`'],
  ['no fleet', 'redis://h?environment=b', 'Name the fleet'],
  ['no environment', 'redis://h?fleet=a', 'Name the environment'],
  ['no key', 'redis://h?fleet=a&environment=b', 'CHAOS_FLEET_KEY'],
])('refuses %s before anything is opened', async (what, url, why) => {
  open.mockClear()
  await expect(connect(url, what === 'no key' ? {} : { key })).rejects.toEqual(refusal('CHAOS_INVALID_OPTION', why))
  expect(open).not.toHaveBeenCalled()
})

it('shows no password of a URL that it cannot read', async () => {
  const refused: unknown = await connect('redis://u:hunter2@[').catch((error: unknown) => error)
  expect(String(refused)).not.toContain('hunter2')
})

import { describe, expect, it } from 'vitest'
import { bareRefusal, controllerRefusal, DEFAULT_ENVIRONMENTS } from './guard.js'

const codeOf = (error: { code: string } | undefined): string | undefined => error?.code

describe('a bare inject', () => {
  it.each([
    [{}, undefined],
    [{ NODE_ENV: 'development' }, undefined],
    [{ NODE_ENV: 'production' }, 'CHAOS_ENVIRONMENT_REFUSED'],
    [{ NODE_ENV: 'Production ' }, 'CHAOS_ENVIRONMENT_REFUSED'],
    [{ CHAOS_DISABLED: '1' }, 'CHAOS_DISABLED'],
    [{ CHAOS_DISABLED: 'true' }, 'CHAOS_DISABLED'],
    [{ CHAOS_DISABLED: '0' }, undefined],
    [{ CHAOS_DISABLED: 'yes' }, undefined],
  ])('in %o is refused with %s', (env, code) => {
    expect(codeOf(bareRefusal(env))).toBe(code)
  })
})

describe('a controller', () => {
  const refused = 'CHAOS_ENVIRONMENT_REFUSED'
  it.each([
    ['development by NODE_ENV', undefined, DEFAULT_ENVIRONMENTS, { NODE_ENV: 'development' }, undefined],
    ['test, passed', 'test', DEFAULT_ENVIRONMENTS, {}, undefined],
    ['no environment', undefined, DEFAULT_ENVIRONMENTS, {}, refused],
    ['an empty environment', '', DEFAULT_ENVIRONMENTS, {}, refused],
    ['staging, not named', 'staging', DEFAULT_ENVIRONMENTS, {}, refused],
    ['staging, named', 'staging', ['staging'], {}, undefined],
    ['staging under NODE_ENV=production', 'staging', ['staging'], { NODE_ENV: 'production' }, refused],
    [
      'staging under NODE_ENV=production, allowed as another',
      'staging',
      ['staging'],
      { NODE_ENV: 'production', CHAOS_ALLOW_ENVIRONMENT: 'canary' },
      refused,
    ],
    [
      'staging under NODE_ENV=production, allowed',
      'staging',
      ['staging'],
      { NODE_ENV: 'production', CHAOS_ALLOW_ENVIRONMENT: 'staging' },
      undefined,
    ],
    ['production by NODE_ENV', undefined, DEFAULT_ENVIRONMENTS, { NODE_ENV: 'production' }, refused],
    ['production, even if named', 'production', ['production'], { CHAOS_ALLOW_ENVIRONMENT: 'production' }, refused],
    ['development, disabled', 'development', DEFAULT_ENVIRONMENTS, { CHAOS_DISABLED: '1' }, 'CHAOS_DISABLED'],
  ])('in %s', (_title, passed, allowed, env, code) => {
    expect(codeOf(controllerRefusal(passed, allowed, env))).toBe(code)
  })
})

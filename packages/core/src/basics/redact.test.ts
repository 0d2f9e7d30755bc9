import { describe, expect, it } from 'vitest'
import { isCredentialName, redacted, redactedText } from './redact.js'

describe('redacted', () => {
  it.each([
    'password',
    'dbPassword',
    'x-auth-token',
    'API_KEY',
    'apiKey',
    'Authorization',
    'set-cookie',
    'private_key',
  ])('takes the value of %s for a credential', (name) => {
    expect(isCredentialName(name)).toBe(true)
    expect(redacted({ [name]: 'hunter2', deep: [{ [name]: ['hunter2'] }] })).toEqual({
      [name]: '[redacted]',
      deep: [{ [name]: ['[redacted]'] }],
    })
  })

  it.each(['key', 'tokens', 'maxTokens', 'only', 'tokenBucket', 'cookieJarSize', 'delayMs', 'keyspace'])(
    'leaves the value of %s alone',
    (name) => {
      const options = Object.freeze({ [name]: 'plain', list: Object.freeze([1, 'two']) })
      expect(redacted(options)).toBe(options)
    },
  )

  it.each([
    ['redis://user:hunter2@db:6379/0', 'redis://user:[redacted]@db:6379/0'],
    ['redis://me@corp:hun@ter2@db:6379', 'redis://me@corp:[redacted]@db:6379'],
    ['redis://:hunter2@db and more', 'redis://:[redacted]@db and more'],
    ['Authorization: Bearer abcdef0123456789', 'Authorization: Bearer [redacted]'],
    ['a eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl b', 'a [redacted] b'],
    ['ghp_0123456789abcdef0123', '[redacted]'],
    ['AKIA0123456789ABCDEF', '[redacted]'],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----', '[redacted]'],
  ])('cuts the credential out of %s', (text, without) => {
    expect(redactedText(text)).toBe(without)
    expect(redacted({ text: [text] })).toEqual({ text: [without] })
  })

  it.each([
    'http://localhost:3000/a@b',
    'http://me@host:80/',
    'user:name@host',
    'a bearer of news',
    'task-0123456789abcdef',
    '09:30:00',
  ])('leaves %s alone', (text) => expect(redactedText(text)).toBe(text))
})

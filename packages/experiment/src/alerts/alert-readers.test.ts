import { describe, expect, it } from 'vitest'
import { alertmanagerAlerts, ALERT_READERS, prometheusAlerts } from '../index.js'

describe.each(ALERT_READERS.map((one) => [one.type, one] as const))('the reader of alerts %s', (_type, reader) => {
  it('says what it is told, with units and defaults', () => {
    expect(reader.options).toMatchObject({
      type: 'object',
      required: ['url'],
      properties: {
        url: { type: 'string', description: expect.any(String) as unknown },
        timeoutMs: { type: 'number', default: 5_000 },
      },
      additionalProperties: false,
    })
  })

  it('is made from its options, and refuses what is none of them', () => {
    expect(reader.read({ url: 'http://127.0.0.1:9' })).toMatchObject({ source: 'http://127.0.0.1:9' })
    expect(() => reader.read({})).toThrow(/needs the option `url`\.$/)
    expect(() => reader.read({ url: 'localhost:9090' })).toThrow(
      'to be an address that begins with http:// or https://, got `localhost:9090`.',
    )
    for (const options of [{}, { url: 'localhost:9090' }, { url: 'http://127.0.0.1:9', timeoutMs: 0 }])
      expect(() => reader.read(options)).toThrow(expect.objectContaining({ code: 'CHAOS_INVALID_OPTION' }) as Error)
  })
})

it('a misspelt option of a reader is refused, with the one that was meant', () => {
  const options = { url: 'http://127.0.0.1:9', watchdgo: 'Watchdog' }
  expect(() => prometheusAlerts(options)).toThrow('Did you mean "watchdog"?')
  expect(() => alertmanagerAlerts(options)).toThrow('Did you mean "watchdog"?')
})

it('no two readers have the same type', () => {
  expect(new Set(ALERT_READERS.map(({ type }) => type)).size).toBe(ALERT_READERS.length)
})

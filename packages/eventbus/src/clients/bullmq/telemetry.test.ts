import { expect, it } from 'vitest'
import { carriedBy, withCarried } from './telemetry.js'

const write = (given?: unknown): string => `${typeof given === 'string' ? `${given},` : ''}chaos=1`

it('writes the header beside the context that telemetry has written', () => {
  expect(withCarried(undefined, write)).toEqual({ telemetry: { metadata: '{"baggage":"chaos=1"}' } })
  const options = { attempts: 2, telemetry: { omitContext: false, metadata: '{"traceparent":"t","baggage":"a=1"}' } }
  const made = withCarried(options, write)
  expect(made).toEqual({
    attempts: 2,
    telemetry: { omitContext: false, metadata: '{"traceparent":"t","baggage":"a=1,chaos=1"}' },
  })
  expect(carriedBy(made)).toBe('a=1,chaos=1')
})

it.each(['no JSON', '[]', 'null', `"${'x'.repeat(70_000)}"`])(
  'leaves a context of another form alone: %s',
  (metadata) => {
    const options = { telemetry: { metadata } }
    expect(withCarried(options, write)).toBe(options)
    expect(carriedBy(options)).toBeUndefined()
  },
)

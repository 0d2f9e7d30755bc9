import { describe, expect, it } from 'vitest'
import { ChaosError } from '@chaos/core'
import { ask, mounted, testChaos } from '../../test/support.js'
import { problemOf } from './errors.js'

const drop = { target: 'bus', fault: 'drop-events' }

describe('an error is a problem', () => {
  it('with the page of its code, its title, the field, the expectation and the next step', async () => {
    const { url } = await mounted(testChaos().controller)
    const answer = await ask(`${url}/injections`, { method: 'POST', body: { ...drop, target: 'buss' } })
    expect(answer.headers['content-type']).toBe('application/problem+json')
    const message = 'Unknown target "buss". Did you mean "bus"?'
    expect(answer.json()).toEqual({
      type: 'https://github.com/chaos-harness/chaos-harness/blob/main/docs/errors/CHAOS_UNKNOWN_TARGET.md',
      title: 'Unknown target',
      status: 404,
      detail: message,
      field: '/target',
      expected: 'one of `bus`',
      hint: 'list the targets with `chaos targets`',
      error: { code: 'CHAOS_UNKNOWN_TARGET', message },
    })
  })

  it.each<[object, string, string | undefined]>([
    [{ ...drop, rate: 2 }, '/rate', 'a number from 0 to 1'],
    [{ ...drop, options: { echo: 1 } }, '/options/echo', 'true or false'],
    [{ ...drop, fault: 'test/drop-events', options: { ecko: 1 } }, '/options/ecko', 'one of `echo`'],
    [{ ...drop, leaseMs: 1e9 }, '/leaseMs', 'at most 600000'],
    [{ ...drop, only: [''] }, '/only/0', expect.stringContaining('a name or glob') as string],
    [{ target: 'bus' }, '/fault', 'a string'],
    [{ ...drop, fault: 'drp-events' }, '/fault', expect.stringContaining('`test/drop-events`') as string],
    [{ ...drop, scoep: 'x' }, '/scoep', expect.stringContaining('`scope`') as string],
  ])('that names the field of %j', async (body, field, expected) => {
    const { url } = await mounted(testChaos().controller)
    for (const path of ['/injections', '/checks'])
      expect((await ask(`${url}${path}`, { method: 'POST', body })).json()).toMatchObject({ field, expected })
  })

  it('that names a parameter of the query', async () => {
    const { url } = await mounted(testChaos().controller)
    const answer = await ask(`${url}/injections?process=maybe`, { method: 'DELETE' })
    expect(answer.json()).toMatchObject({ status: 400, field: 'process', expected: 'one of `true`, `false`' })
  })

  it('also for a code of another package, and for one that names no field of the request', () => {
    const error = new ChaosError('CHAOS_OF_SOMEBODY', 'No.', { details: { of: 'x', field: '/y', expected: 'z' } })
    expect(problemOf(error)).toEqual({
      type: 'about:blank',
      title: 'Of somebody',
      status: 409,
      detail: 'No.',
      error: { code: 'CHAOS_OF_SOMEBODY', message: 'No.' },
    })
  })

  it('when an upgrade is refused', async () => {
    const { url } = await mounted(testChaos().controller)
    const headers = { authorization: 'Bearer x', connection: 'upgrade', upgrade: 'websocket' }
    const answer = await ask(`${url}/events`, { headers })
    expect([answer.status, answer.headers['content-type']]).toEqual([401, 'application/problem+json'])
    expect(answer.json()).toMatchObject({ title: 'Unauthorized', status: 401 })
  })
})

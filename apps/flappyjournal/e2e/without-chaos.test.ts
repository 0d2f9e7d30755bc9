import { discover } from '@chaos/control'
import { describe, expect, it } from 'vitest'
import { devServer, loadOn, runScript } from './helpers.js'

describe('where chaos is not allowed', () => {
  it.each([
    ['production', { NODE_ENV: 'production' }],
    ['no environment', { NODE_ENV: '' }],
    ['development without the switch', { CHAOS: '' }],
  ])('in %s there is no endpoint, arming is refused, and the app serves', async (_title, env) => {
    const dev = await devServer(env)
    for (const path of ['/chaos', '/chaos/info', '/chaos/injections'])
      expect((await fetch(dev.url + path)).status).toBe(404)
    expect(await discover({ directory: dev.sockets })).toEqual([])
    const { code, out } = await runScript(['tools/chaos/osComponentChaos.cjs', 'worker'], dev.env)
    expect(code).toBe(3)
    expect(out).toContain('Expected one running FlappyJournal dev server')
    const load = await loadOn(dev)
    expect(load.report().failed).toBe(0)
  })
})

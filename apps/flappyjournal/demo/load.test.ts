import { expect, it, onTestFinished, vi } from 'vitest'
import { RATE_LIMIT } from '../src/rate-limit.js'
import { SECRET, start } from '../test/start.js'
import { startLoad } from './load.js'

it('finds every entry that was acknowledged, however many come while it looks', async () => {
  const app = await start()
  const load = await startLoad({ url: app.url, secret: SECRET, users: 40, paceMs: RATE_LIMIT.windowMs / RATE_LIMIT.requests })
  onTestFinished(() => load.stop())
  await vi.waitFor(() => expect(load.accounts().acknowledged).toBeGreaterThan(80))
  while (load.accounts().acknowledged < 250) expect((await load.look()).lost).toBe(0)
})

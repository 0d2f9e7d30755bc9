import { join } from 'node:path'
import { expect, it } from 'vitest'
import { appFolder } from '../src/config.js'
import { devServer, loadOn } from './helpers.js'

it.each(process.env['CHAOS_SOAK'] === 'quick' ? [-12_000] : [-3_600_000, -12_000, 5_000, 3_600_000])(
  'an app whose clock is %i ms off serves the load all the same',
  async (shiftMs) => {
    const dev = await devServer({
      NODE_OPTIONS: `--require ${join(appFolder, 'e2e/clock.cjs')}`,
      CLOCK_OFFSET_MS: String(shiftMs),
    })
    const load = await loadOn(dev)
    const { verified, offenders, failed, rejected } = await load.look()
    expect(verified).toBeGreaterThan(3)
    expect([failed, rejected, offenders]).toEqual([0, 0, []])
    // Its evaluator is a thread of its own, and lives in the same time.
    const { data } = (await (await fetch(`${dev.alertsUrl}/api/v1/targets`)).json()) as {
      data: { activeTargets: [{ lastScrape: string }] }
    }
    expect(Math.abs(Date.parse(data.activeTargets[0].lastScrape) - shiftMs - Date.now())).toBeLessThan(3_000)
  },
)

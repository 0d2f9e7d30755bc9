import { expect, it } from 'vitest'
import { kinds } from './kinds.js'
import { differencesIn } from './schedule.js'

const count = process.env['CHAOS_SOAK'] === 'quick' ? 1_000 : 10_000

it.each(kinds)(`${count} random schedules leave nothing on %s`, async (_title, start) => {
  const { subject, close } = await start()
  try {
    // Other schedules than those of the ordinary suite.
    expect(await differencesIn(subject, { from: 1_000, count })).toEqual([])
  } finally {
    await close()
  }
})

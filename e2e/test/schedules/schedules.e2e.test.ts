import { expect, it } from 'vitest'
import { kinds } from './kinds.js'
import { differencesIn } from './schedule.js'

it.each(kinds)('100 random schedules leave nothing on %s', async (_title, start) => {
  const { subject, close } = await start()
  try {
    expect(await differencesIn(subject, { from: 1, count: 100 })).toEqual([])
  } finally {
    await close()
  }
})

import { describe, expect, it } from 'vitest'
import { emitters } from './emitters.js'
import { plainObjects } from './plain-objects.js'
import { runSchedule } from './run-schedule.js'

// A further kind of object is one file that exports subjects, and one entry here.
const subjects = [...emitters, ...plainObjects]

const TOTAL = { undefined: 600, quick: 2_000, whole: 10_000 }[String(process.env['CHAOS_SOAK'])] ?? 600
const each = Math.ceil(TOTAL / subjects.length)

describe('random schedules of faults that begin and end while the application goes on', () => {
  it.each(subjects)('leave nothing on $title', async (subject) => {
    const left: string[] = []
    for (let seed = 0; seed < each; seed += 1)
      left.push(...(await runSchedule(subject, seed)).map((difference) => `seed ${seed}: ${difference}`))
    expect(left.slice(0, 10)).toEqual([])
  })
})

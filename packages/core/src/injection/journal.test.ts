import { describe, expect, it } from 'vitest'
import { JournalWriter, type JournalEntry } from './journal.js'

describe('JournalWriter', () => {
  it('keeps the newest entries and counts the dropped ones', () => {
    const journal = new JournalWriter(3)
    for (let at = 0; at < 10; at += 1) journal.write({ type: 'warning', at, id: 'i', message: 'm' })
    expect(journal.entries.map(({ at }) => at)).toEqual([7, 8, 9])
    expect(journal.dropped).toBe(7)
  })

  it('calls followers until they stop', () => {
    const journal = new JournalWriter()
    const seen: JournalEntry[] = []
    const stop = journal.follow((entry) => seen.push(entry))
    journal.write({ type: 'warning', at: 1, id: 'i', message: 'm' })
    stop()
    journal.write({ type: 'warning', at: 2, id: 'i', message: 'm' })
    expect(seen.map(({ at }) => at)).toEqual([1])
  })

  it('passes each entry only to those who followed when it was written', () => {
    const journal = new JournalWriter()
    let told = 0
    const followOnce = (): void => {
      const stop = journal.follow(() => {
        stop()
        told += 1
        if (told < 10) followOnce()
      })
    }
    followOnce()
    journal.write({ type: 'warning', at: 1, id: 'i', message: 'm' })
    expect(told).toBe(1)
  })
})

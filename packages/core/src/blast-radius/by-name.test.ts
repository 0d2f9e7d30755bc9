import { describe, expect, it } from 'vitest'
import { byName, MAX_NAMES } from './by-name.js'

describe('byName', () => {
  it('keeps one value per name, for a bounded number of names', () => {
    let made = 0
    const of = byName(() => (made += 1))
    expect([of('a'), of('b'), of('a')]).toEqual([1, 2, 1])
    for (let index = 0; index < 300_000; index += 1) of(`name:${index}`)
    expect(made).toBe(MAX_NAMES + 1_024)
    expect(of('name:299999')).toBe(of('name:299999'))
    expect(of('a')).toBe(1)
  })

  it('keeps at most a million characters of names, and no very long name', () => {
    const names: (string | symbol)[] = []
    const of = byName((name) => names.push(name))
    for (let index = 0; index < 2_000; index += 1) of(`${index}${'x'.repeat(1_000)}`)
    of('y'.repeat(1_000_000))
    const kept = names.filter((name) => typeof name === 'string' && !name.startsWith('\0')) as string[]
    expect(kept.reduce((sum, name) => sum + name.length, 0)).toBeLessThanOrEqual(1_000_000)
    expect(kept.length).toBeGreaterThan(990)
  })

  it('counts the description of a symbol as its name', () => {
    const kept: symbol[] = []
    const of = byName((name) => {
      if (typeof name === 'symbol') kept.push(name)
      return name
    })
    for (let index = 0; index < 2_000; index += 1) of(Symbol(`${index}${'x'.repeat(1_000)}`))
    of(Symbol('y'.repeat(1_000_000)))
    expect(kept.length).toBeLessThan(1_000)
  })
})

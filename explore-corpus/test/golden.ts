import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Exploration } from '@chaos/test'
import { afterAll, expect } from 'vitest'

const FILE = fileURLToPath(new URL('golden.json', import.meta.url))

/** The size of one search. */
interface Size {
  readonly points: number
  /** What a blind search would run. */
  readonly blind: number
  readonly run: number
  readonly pruned: Readonly<Record<string, number>>
  readonly findings: number
}

type Sizes = Record<string, Record<string, Size>>

/**
 * Compares the sizes of searches with the pinned ones. `CORPUS_GOLDEN=write` pins those of this run.
 *
 * @param form Which searches: the quick ones or the whole ones.
 */
export function golden(form: 'quick' | 'whole'): (variant: string, exploration: Exploration) => void {
  const isWriting = process.env['CORPUS_GOLDEN'] === 'write'
  const pinned = (JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Sizes[string]>)[form] ?? {}
  const made: Sizes[string] = {}
  afterAll(() => {
    if (!isWriting) return
    const all = JSON.parse(readFileSync(FILE, 'utf8')) as Sizes
    writeFileSync(FILE, `${JSON.stringify({ ...all, [form]: { ...all[form], ...made } }, undefined, 2)}\n`)
  })
  return (variant, { result }) => {
    const { points, sets, run, pruned, findings } = result
    const counts = Object.entries(pruned).filter(([, count]) => count > 0)
    const size = {
      points: points.length,
      blind: sets,
      run,
      pruned: Object.fromEntries(counts),
      findings: findings.length,
    }
    made[variant] = size
    if (!isWriting) expect(size).toEqual(pinned[variant])
  }
}

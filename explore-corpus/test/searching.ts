import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { explore, type Exploration, type Hit } from '@chaos/test'
import { vi } from 'vitest'
import { apps } from '../src/apps.js'
import type { CorpusApp, KnownHit, RunningApp } from '../src/shared/corpus-app.js'

/** An app with one of its bugs, or none. */
export interface Variant {
  readonly app: CorpusApp
  /** `none` for the app as it should be. */
  readonly bug: string
  readonly revealedBy: readonly KnownHit[]
  readonly make: () => RunningApp
}

/** Each app with each of its bugs. */
export const broken: readonly Variant[] = apps.flatMap((app) =>
  Object.entries(app.bugs).map(([bug, { revealedBy }]) => ({
    app,
    bug,
    revealedBy,
    make: () => app.make(new Set([bug])),
  })),
)

/** Each app without a bug. */
export const healthy: readonly Variant[] = apps.map((app) => ({
  app,
  bug: 'none',
  revealedBy: [],
  make: () => app.make(new Set()),
}))

/** How much of an app is searched. */
export interface Extent {
  readonly depth: number
  /** The targets whose faults are tried. Default: all. */
  readonly targets?: readonly string[]
  /** Whether to run also what is inferred from other sets. */
  readonly thorough?: boolean
  /** The search ends after as many findings. Default: it goes on. */
  readonly maxFindings?: number
}

/** Searches an app. */
export function searched(
  { app, make }: Pick<Variant, 'app' | 'make'>,
  { targets, ...extent }: Extent,
): Promise<Exploration> {
  const running = make()
  const faults = Object.entries(running.faults).filter(([target]) => targets?.includes(target) !== false)
  const exploring = explore(
    {
      name: app.name,
      targets: running.targets,
      faults: Object.fromEntries(faults),
      reset: running.reset,
      clock: running.clock,
      ...extent,
      budgetMs: 20 * 60_000,
      onFinding: 'return',
    },
    () => running.body(),
  )
  return exploring.finally(() => running.close?.())
}

/** Replays a finding from its file. @returns How often the app broke as it did before. */
export async function replays(variant: Variant, replay: unknown, times: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'explore-corpus-'))
  const file = join(folder, 'finding.json')
  try {
    await writeFile(file, JSON.stringify(replay))
    vi.stubEnv('CHAOS_REPLAY', file)
    let broke = 0
    for (let time = 0; time < times; time += 1) broke += (await searched(variant, { depth: 1 })).findings.length
    return broke
  } finally {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  }
}

/** All sets that a search has found, those with other kinds at the same calls included. */
export function foundIn({
  name,
  findings,
}: Exploration): readonly { readonly set: readonly KnownHit[]; readonly replay: unknown }[] {
  return findings.flatMap(({ hits, twins, replay }) =>
    [hits, ...twins].map((set) => ({ set: set.map((hit) => knownHit(name, hit)), replay: { ...replay, hits: set } })),
  )
}

/** Whether two sets are the same, in any order. */
export function isSameSet(one: readonly KnownHit[], other: readonly KnownHit[]): boolean {
  return textOf(one) === textOf(other)
}

/** What is left of a set when one hit is taken from it, for each hit. */
export function withoutOne(hits: readonly KnownHit[]): readonly (readonly KnownHit[])[] {
  return hits.map((_hit, at) => hits.filter((_other, index) => index !== at))
}

function textOf(hits: readonly KnownHit[]): string {
  return hits
    .map(({ scope = '', target, operation, call, times = 'once', fault }) =>
      [scope, target, operation, call, times, fault].join(' '),
    )
    .sort()
    .join('\n')
}

function knownHit(name: string, { point, kind, times }: Hit): KnownHit {
  const within = point.scope.slice(`${name} > `.length)
  return {
    ...(within === '' ? {} : { scope: within }),
    target: point.target,
    operation: point.operation,
    call: point.call,
    ...(times === undefined ? {} : { times }),
    fault: kind,
  }
}

import { afterAll, vi } from 'vitest'

/** What `@chaos/core` keeps in the process; read here without loading another copy of it. */
interface Core {
  readonly live: ReadonlySet<object>
  readonly scopes?: { readonly needs: number }
}

const CORE = Symbol.for('@chaos/core')
const DISPATCHER = Symbol.for('undici.globalDispatcher.1')
const GLOBALS = ['fetch', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'Date', 'WebSocket']

/** What the files of a suite share, since they run in one process. */
function sharedState(): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>([
    ...process
      .eventNames()
      // Node.js's own, which it adds with `node:cluster` and never removes.
      .filter((name) => name !== 'internalMessage')
      .map((name) => [`listeners of process for ${String(name)}`, process.listenerCount(name)] as const),
    ...Object.entries(process.env).map(([name, value]) => [`environment variable ${name}`, value] as const),
    ...GLOBALS.map((name) => [`global ${name}`, Reflect.get(globalThis, name) as unknown] as const),
    ['working directory', process.cwd()],
    ['fake timers', vi.isFakeTimers()],
  ])
}

/** What must not be there when a file has ended, and how much of it there is. */
function leftovers(): readonly (readonly [string, number])[] {
  const core = Reflect.get(globalThis, CORE) as Core | undefined
  return [
    ['injections in force', core?.live.size ?? 0],
    ['needs of scopes', core?.scopes?.needs ?? 0],
  ]
}

/**
 * Fails a test file that leaves behind what later files of the suite would run into. Which files these are depends on the
 * order, which differs from machine to machine.
 */
export function failOnResidue(): void {
  const before = sharedState()
  const dispatcher: unknown = Reflect.get(globalThis, DISPATCHER)
  afterAll(() => {
    // The runner does this before each test, and not after the last one of a file.
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
    const after = sharedState()
    const found = [...new Set([...before.keys(), ...after.keys()])].filter(
      (name) => before.get(name) !== after.get(name),
    )
    for (const [what, count] of leftovers()) if (count > 0) found.push(`${what}: ${count}`)
    // The first who asks for the dispatcher makes it.
    if (dispatcher !== undefined && Reflect.get(globalThis, DISPATCHER) !== dispatcher)
      found.push('global dispatcher of undici')
    if (found.length > 0)
      throw new Error(
        `Expected the file to leave all as it found it. Put back, where it is changed:\n${found.join('\n')}`,
      )
  })
}

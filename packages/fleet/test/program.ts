import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { afterAll, beforeAll, expect, onTestFinished, vi } from 'vitest'

/** A process of a test. */
export interface TestProcess {
  readonly child: ChildProcess
  /** Resolves with the exit code and the signal. */
  readonly ended: Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>
  /** The lines that it has printed, on both streams. */
  lines(): readonly string[]
  /** Resolves when it has printed such a line. */
  prints(line: string | RegExp): Promise<void>
}

/**
 * Bundles a program before the tests of a file.
 *
 * @param place Where it is put: in the package, where it finds what it imports, or where it finds no package, with core inside.
 * @returns Starts it, for one test.
 */
export function testProgram(
  source: URL,
  place: 'package' | 'nowhere' = 'package',
): (args: readonly string[], node?: readonly string[]) => TestProcess {
  let folder = ''
  beforeAll(() => {
    const above = place === 'package' ? fileURLToPath(new URL('../node_modules', import.meta.url)) : tmpdir()
    folder = mkdtempSync(join(above, '.test-'))
    buildSync({
      entryPoints: [fileURLToPath(source)],
      outfile: join(folder, 'program.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      ...(place === 'nowhere'
        ? { external: ['ioredis'] }
        : {
            packages: 'external',
            // As `vitest.lowest.config.ts` does for what is not bundled.
            ...(process.env['CHAOS_PEERS'] === 'lowest' && { alias: { ioredis: 'ioredis-lowest' } }),
          }),
    })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return (args, node = []) => {
    const child = spawn(process.execPath, [...node, join(folder, 'program.mjs'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    let output = ''
    const streams = [child.stdout, child.stderr].flatMap((stream) => (stream === null ? [] : [stream]))
    for (const stream of streams) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    // Not `close`, which Node.js does not tell of once the parent has disconnected.
    const ended = Promise.all([once(child, 'exit'), ...streams.map((stream) => once(stream, 'end'))]).then(
      ([[code, signal]]) => [code, signal] as [number | null, NodeJS.Signals | null],
    )
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await ended
    })
    const lines = (): readonly string[] => output.split('\n').filter((line) => line !== '')
    const matches = (line: string | RegExp): boolean =>
      lines().some((one) => (typeof line === 'string' ? one === line : line.test(one)))
    return {
      child,
      ended,
      lines,
      prints: (line) =>
        vi.waitFor(
          () =>
            expect(matches(line), `${basename(source.pathname)} has not printed ${String(line)}:\n${output}`).toBe(
              true,
            ),
          { timeout: 30_000, interval: 20 },
        ),
    }
  }
}

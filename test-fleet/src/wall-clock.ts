import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hasPrograms, required } from '@chaos/test-servers'
import type { Prefix } from './program.js'

/** The wall clock of a Redis, which can be moved while it runs. */
export interface WallClock {
  /** What is in front of the command of the Redis. */
  readonly prefix: Prefix
  /** Moves the clock to this distance from the real one. */
  set(aheadMs: number): void
  stop(): void
}

/** Whether wall clocks can be made: they need the compiler `gcc`. */
export const hasWallClocks = (): boolean => hasPrograms('gcc')

/** Compiles what is preloaded into a Redis to move its wall clock. libfaketime would do, but Redis does not start under it. */
export function makeWallClock(): WallClock {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-clock-'))
  const [library, file] = [join(folder, 'clock.so'), join(folder, 'ahead')]
  // From the sources and from what is built of them, the file is in the same place.
  const source = fileURLToPath(new URL('../src/clock-shim.c', import.meta.url))
  execFileSync(required('gcc'), ['-shared', '-fPIC', '-O1', '-o', library, source])
  const write = (aheadMs: number, flag: 'w' | 'r+'): void => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(aheadMs))
    // The file is mapped, so it must stay as long as it is.
    writeFileSync(file, bytes, { flag })
  }
  write(0, 'w')
  return {
    prefix: ['env', `LD_PRELOAD=${library}`, `CHAOS_CLOCK_FILE=${file}`],
    set: (aheadMs) => write(aheadMs, 'r+'),
    stop: () => rmSync(folder, { recursive: true, force: true }),
  }
}

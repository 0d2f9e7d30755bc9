import { spawnSync, type SpawnOptions } from 'node:child_process'
import { accessSync, readdirSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'

/** Whether a suite that needs these programs runs. With CHAOS_REQUIRE_SERVICES=all it runs, and fails where one is missing. */
export function hasPrograms(...names: readonly string[]): boolean {
  return process.env['CHAOS_REQUIRE_SERVICES'] === 'all' || names.every((name) => programPath(name) !== undefined)
}

/** Where a program is. @throws Error where it is nowhere */
export function required(name: string): string {
  const path = programPath(name)
  if (path === undefined)
    throw new Error(
      `Expected the program ${name} on PATH, got none. Install it, or leave CHAOS_REQUIRE_SERVICES unset to skip what needs it.`,
    )
  return path
}

/** Runs a program to its end. @throws Error unless it succeeds */
export function run(program: string, args: readonly string[], options: SpawnOptions = {}): void {
  const { status, stderr } = spawnSync(program, args, { ...options, encoding: 'utf8' })
  if (status !== 0) throw new Error(`Expected ${program} to succeed, got exit code ${String(status)}:\n${stderr}`)
}

/** Returns where a program is, or `undefined`. */
export function programPath(name: string): string | undefined {
  // Suites that know nothing of it run on that one too.
  if (name === 'redis-server') name = process.env['CHAOS_REDIS_SERVER'] ?? name
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', ...debianPostgres()]
  return folders
    .map((folder) => resolve(folder, name))
    .find((path) => {
      try {
        accessSync(path)
        return true
      } catch {
        return false
      }
    })
}

/** Debian keeps the programs of PostgreSQL off PATH, by version. */
function debianPostgres(): string[] {
  try {
    return readdirSync('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`)
  } catch {
    return []
  }
}

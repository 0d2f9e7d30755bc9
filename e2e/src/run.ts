import { spawn, type SpawnOptions } from 'node:child_process'

/** How a process ended and what it printed. */
export interface Ran {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a program to its end with no stdin; it is killed when it takes too long.
 *
 * @param options.timeoutMs Default 120,000.
 */
export function run(
  program: string,
  args: readonly string[],
  { timeoutMs = 120_000, ...options }: SpawnOptions & { readonly timeoutMs?: number } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', reject)
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }))
  })
}

/** @throws Error with everything it printed, when it did not end with exit code 0. */
export async function runOrThrow(
  program: string,
  args: readonly string[],
  options: Parameters<typeof run>[2] = {},
): Promise<Ran> {
  const ran = await run(program, args, options)
  if (ran.exitCode !== 0)
    throw new Error(
      `Expected exit code 0 of \`${[program, ...args].join(' ')}\`, got ${String(ran.exitCode ?? ran.signal)}.\n${ran.stdout}${ran.stderr}`,
    )
  return ran
}

import { spawn } from 'node:child_process'

/** The program by which each platform opens an address. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  // `start` is a command of a shell, to which an address is more than text.
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
}

/**
 * Opens an address in the user's browser, by the platform's own program and without a shell.
 *
 * @param onFailure Called when there is no such program, or it fails.
 */
export function openBrowser(url: string, env: NodeJS.ProcessEnv, onFailure: (error: Error) => void): void {
  const [program, ...args] = OPENERS[process.platform] ?? ['xdg-open']
  // Detached, so that Ctrl-C in the terminal does not end a browser that was started for this.
  const opener = spawn(program, [...args, url], { env, stdio: 'ignore', detached: true })
  opener.once('error', onFailure)
  opener.once('exit', (code) => {
    if (code !== 0 && code !== null) onFailure(new Error(`${program} ended with ${code}`))
  })
  opener.unref()
}

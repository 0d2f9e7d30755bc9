import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ChaosError } from '@chaos/core'
import { messageOf } from '@chaos/core/authoring'
import type { ControlHandler, LocalProcess, PageOptions } from '@chaos/control'
import type { CommonFlags } from '../arguments/command-options.js'
import { EXIT } from '../process/exit-codes.js'
import { openBrowser } from '../process/open-browser.js'
import { bold, type Terminal } from '../view/terminal.js'
import { interrupted, processGone, withAddress } from './command.js'

/** The options of `chaos ui`. */
export interface UiFlags extends CommonFlags {
  readonly port?: number
  readonly open: boolean
}

/**
 * Serves the page of a process on a port of 127.0.0.1 until the user interrupts, and opens it in a browser. The address
 * signs in one browser, once, within a minute.
 *
 * @throws ChaosError `CHAOS_ENDPOINT_UNREACHABLE` when the connection to the process ends, `CHAOS_INVALID_OPTION` when
 *   the port is taken
 */
export function ui({ port = 0, open, ...flags }: UiFlags, io: Terminal): Promise<number> {
  let found: readonly LocalProcess[] | undefined
  const discover = async (): Promise<readonly LocalProcess[]> => (found ??= await io.discover())
  return withAddress(flags, { ...io, discover }, async (client, address) => {
    const { createHandler } = await import('@chaos/control')
    // An endpoint that has no event stream to spare says so here.
    client.follow(() => undefined)()
    const page = 'url' in address ? pageOfUrl(address.url, flags) : pageOfSocket(address.socketPath, await discover())
    const handler = createHandler(client, { token: randomBytes(32).toString('base64url'), page })
    const unlisten = client.onAppEvent(({ topic, data }) => handler.notify(topic, data))
    const server = await listen(handler, port)
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${handler.oneTimePath()}`
      if (flags.json === true) io.json({ url }, { isOneLine: true })
      else io.out(bold('page'), `: ${url} (for one browser, within a minute; Ctrl-C ends it)`)
      if (open)
        openBrowser(url, io.env, (error) =>
          io.err(`The browser could not be opened (${messageOf(error)}). Open the address above.`),
        )
      await Promise.race([client.closed, interrupted(io.signal)])
      if (!io.signal.aborted) handler.notify('process', { state: 'ended' })
    } finally {
      unlisten()
      await handler.close()
      server.closeAllConnections()
      server.close()
    }
    if (!io.signal.aborted) throw processGone('The page is closed.')
    return EXIT.ok
  })
}

function pageOfUrl(url: string, { tokenFile }: CommonFlags): PageOptions {
  const { origin, pathname } = new URL(url)
  const own = `${origin}${pathname}`
  const token = tokenFile === undefined ? [] : ['--token-file', tokenFile]
  return { name: cut(own), commandOptions: ['--url', own, ...token] }
}

/** Commands to copy name the process by its id, unless it has several sockets or was not found. */
function pageOfSocket(socketPath: string, found: readonly LocalProcess[]): PageOptions {
  const local = found.find((one) => one.socketPath === socketPath)
  if (local === undefined) return { name: cut(socketPath), commandOptions: ['--socket', socketPath] }
  const { pid, name } = local
  const isOnly = found.filter((one) => one.pid === pid).length === 1
  return { pid, name: cut(name), commandOptions: isOnly ? ['--pid', String(pid)] : ['--socket', socketPath] }
}

/** The longest name that a page takes, in characters. */
const MAX_NAME = 200
const cut = (name: string): string => name.slice(-MAX_NAME)

function listen(handler: ControlHandler, port: number): Promise<Server> {
  const server = createServer((req, res) => {
    if (req.url === '/') res.writeHead(303, { location: 'chaos/' }).end()
    else if (!handler.handle(req, res)) res.writeHead(404, { 'content-type': 'text/plain' }).end('Not Found')
  })
  server.on('upgrade', (req, socket, head) => {
    if (!handler.upgrade(req, socket, head)) socket.destroy()
  })
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new ChaosError(
          'CHAOS_INVALID_OPTION',
          `The page cannot be served on port ${port} of 127.0.0.1: ${messageOf(error)}. Choose another \`--port\`, or leave it out.`,
          { cause: error },
        ),
      ),
    )
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import net, { type AddressInfo, type Server as NetServer } from 'node:net'

/** What stands between the command and somebody it asks. */
export interface Proxy {
  readonly url: string
  close(): Promise<void>
}

/** An answer as it passes. */
export interface Passing {
  readonly status: number
  readonly text: string
}

/** Answers instead of the one behind, changes the answer, or lets it pass. `ask` asks the one behind. */
export type Between = (path: string, ask: () => Promise<Passing>) => Promise<Passing>

/** An HTTP proxy on a free port of 127.0.0.1 for what is asked by GET. */
export async function httpProxy(behind: () => string, between: Between): Promise<Proxy> {
  const ask = (path: string) => async (): Promise<Passing> => {
    const answer = await fetch(behind() + path)
    return { status: answer.status, text: await answer.text() }
  }
  return serve((request, response) => {
    const path = request.url ?? '/'
    void between(path, ask(path)).then(
      ({ status, text }) =>
        response
          .writeHead(status, { 'content-type': path === '/metrics' ? 'text/plain; version=0.0.4' : 'application/json' })
          .end(text),
      () => response.writeHead(502).end(),
    )
  })
}

/** What is posted here goes on to an address that is known only later. */
export async function forwarder(): Promise<Proxy & { to: string | undefined; isDead: boolean }> {
  const state = { to: undefined as string | undefined, isDead: false }
  const proxy = await serve((request, response) => {
    void textOf(request)
      .then(async (body) => {
        if (state.isDead || state.to === undefined) return response.writeHead(503).end()
        const answer = await fetch(state.to, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
        return response.writeHead(answer.status).end()
      })
      .catch(() => response.destroy())
  })
  return Object.assign(state, proxy)
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

async function serve(listener: RequestListener): Promise<Proxy> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A proxy of a Unix socket. */
export interface SocketProxy {
  readonly path: string
  /** Ends every connection; of followers only, if so asked. New ones of that kind are refused from now on. */
  cut(which: 'all' | 'followers'): void
  close(): Promise<void>
}

/** Stands before a control socket. */
export async function socketProxy(behind: string, path: string): Promise<SocketProxy> {
  const open = new Map<net.Socket, 'follower' | 'other'>()
  let isCut: 'all' | 'followers' | undefined
  const refused = (kind: 'follower' | 'other'): boolean =>
    isCut === 'all' || (isCut === 'followers' && kind === 'follower')
  const server: NetServer = net.createServer((socket) => {
    open.set(socket, 'other')
    socket.on('error', () => socket.destroy()).on('close', () => open.delete(socket))
    socket.once('data', (first) => {
      const kind = /^upgrade: websocket/im.test(first.toString('latin1')) ? 'follower' : 'other'
      open.set(socket, kind)
      if (refused(kind)) {
        socket.destroy()
        return
      }
      const other = net.connect(behind)
      other.on('error', () => socket.destroy()).on('close', () => socket.destroy())
      socket.on('close', () => other.destroy())
      other.write(first)
      socket.pipe(other).pipe(socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    path,
    cut(which) {
      isCut = which
      for (const [socket, kind] of open) if (refused(kind)) socket.destroy()
    },
    async close() {
      for (const socket of open.keys()) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

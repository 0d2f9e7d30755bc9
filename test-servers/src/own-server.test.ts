import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import net from 'node:net'
import { expect, it, onTestFinished, vi } from 'vitest'
import { freePort, ownServer, type Command } from './own-server.js'

/** A server that says `I listen` once it listens, and does this with each who connects. */
const command = (port: number, serve = "socket.end('ours')"): Command => ({
  program: process.execPath,
  args: [
    '-e',
    `require('node:net').createServer((socket) => { ${serve} }).listen(${port}, '127.0.0.1', () => console.log('I listen'))`,
  ],
  ready: 'I listen',
})

async function greeting(port: number): Promise<string> {
  const socket = net.connect(port, '127.0.0.1')
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return String(chunk)
}

it('starts a server that listens, and ends it with its folder', async () => {
  const { port, folder, process: child, stop } = await ownServer((free) => command(free))
  expect(await greeting(port)).toBe('ours')
  await stop()
  expect(child.signalCode).toBe('SIGKILL')
  expect(existsSync(folder)).toBe(false)
})

it('takes no stranger on its port for the server: it starts it again, on another', async () => {
  const stranger = net.createServer((socket) => socket.on('error', () => undefined).end('theirs'))
  onTestFinished(() => void stranger.close())
  const ports: number[] = []
  const server = await ownServer((port) => {
    ports.push(port)
    if (ports.length === 1) stranger.listen(port, '127.0.0.1')
    return command(port)
  })
  onTestFinished(() => server.stop())
  expect(ports).toHaveLength(2)
  expect(server.port).toBe(ports[1])
  expect(await greeting(server.port)).toBe('ours')
})

it('gives up a server that does not start, with what it wrote', async () => {
  const started = ownServer(() => ({
    program: process.execPath,
    args: ['-e', "console.error('no such disk'); process.exit(3)"],
    ready: 'I listen',
  }))
  await expect(started).rejects.toThrow(/to listen on port \d+, it ended by exit code 3:\nno such disk/)
})

it('tells of a server that ends by itself, with the last it wrote, and not of one that is stopped', async () => {
  const told = vi.spyOn(console, 'error').mockReturnValue()
  const stopped = await ownServer((port) => command(port))
  await stopped.stop()
  const fallen = await ownServer((port) => command(port, "console.log('out of memory'); process.exit(7)"))
  net.connect(fallen.port, '127.0.0.1').on('error', () => undefined)
  await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(1))
  expect(told).toHaveBeenCalledWith(
    expect.stringMatching(/to run until it is stopped, it ended by exit code 7:\nI listen\nout of memory/),
  )
  await fallen.stop()
})

it.runIf(process.platform === 'linux')(
  'hands out ports that the operating system gives to no connection (Linux only: it reads /proc)',
  async () => {
    const [first = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t').map(Number)
    const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()))
    for (const port of ports) expect(port).toBeLessThan(first)
  },
)

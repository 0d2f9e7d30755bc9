import { execFile } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import net from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort, hasPrograms } from '@chaos/test-servers'
import { describeError, type ErrorDescription } from '../../test/describe-error.js'
import { expectFidelity } from '../../test/fidelity.js'
import { rejection } from '../../test/rejection.js'
import { networkErrors } from './network.js'

const beside = `Linux, Node.js ${process.versions.node.split('.')[0] ?? ''}`

async function listen(onConnection: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer(onConnection).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as net.AddressInfo).port
}

async function errorOf(socket: net.Socket): Promise<Error> {
  onTestFinished(() => void socket.destroy())
  return rejection(once(socket, 'error').then(([error]) => Promise.reject(error as Error)))
}

describe.runIf(process.platform === 'linux')('network errors, beside real ones', () => {
  it('net/econnrefused, from a closed port', async () => {
    const port = await freePort()
    const real = await errorOf(net.connect(port, '127.0.0.1'))
    expectFidelity({
      preset: 'net/econnrefused',
      beside,
      real,
      injected: networkErrors['net/econnrefused']({ host: '127.0.0.1', port }),
    })
  })

  it('net/econnreset, from a peer that resets an open connection', async () => {
    const port = await listen((socket) => void socket.once('data', () => socket.resetAndDestroy()))
    const real = await errorOf(
      net.connect(port, '127.0.0.1', function (this: net.Socket) {
        this.write('x')
      }),
    )
    expectFidelity({ preset: 'net/econnreset', beside, real, injected: networkErrors['net/econnreset']() })
  })

  it('net/epipe, from writing to a peer that is gone', async () => {
    const port = await listen((socket) => socket.destroy())
    // Half open, and paused: nothing but a write can notice.
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }).pause()
    await once(socket, 'connect')
    const writing = setInterval(() => void socket.write('x'), 5)
    onTestFinished(() => clearInterval(writing))
    expectFidelity({ preset: 'net/epipe', beside, real: await errorOf(socket), injected: networkErrors['net/epipe']() })
  })

  it('dns/enotfound, from a name that cannot exist (a label longer than 63 letters is refused without asking anybody)', async () => {
    const host = `${'a'.repeat(70)}.invalid`
    const real = await rejection(lookup(host))
    expectFidelity({
      preset: 'dns/enotfound',
      beside,
      real,
      injected: networkErrors['dns/enotfound']({ host, port: 0 }),
    })
  })

  it('keeps the names of old', () => {
    for (const name of ['ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ECONNRESET', 'EPIPE'] as const) {
      expect(networkErrors[name]).toBe(networkErrors[`net/${name.toLowerCase() as Lowercase<typeof name>}`])
    }
    expect(networkErrors.ENOTFOUND).toBe(networkErrors['dns/enotfound'])
  })
})

describe.runIf(process.platform === 'linux' && hasPrograms('unshare', 'ip', 'sysctl'))(
  'network errors, beside real ones of a network that leads nowhere (skipped without `unshare`, `ip` and `sysctl` on Linux)',
  () => {
    // A network of the child's own: 10.7.0.2 has no host behind its wire, what goes to 10.8.0.0/24 is dropped, and no name server can be reached.
    const network =
      'ip link set lo up; ip link add v0 type veth peer name v1; ip addr add 10.7.0.1/24 dev v0; ip link set v0 up; ip link set v1 up; ip route add 10.8.0.0/24 dev lo'

    async function realError(source: string, setup = 'true'): Promise<ErrorDescription> {
      const program = `const report = (error) => process.stdout.write(JSON.stringify((${describeError.toString()})(error))); ${source}`
      const { stdout } = await promisify(execFile)('unshare', [
        '-rn',
        'sh',
        '-c',
        `${network}; ${setup}; exec "$0" -e "$1"`,
        process.execPath,
        program,
      ])
      return JSON.parse(stdout) as ErrorDescription
    }

    it('net/ehostunreach, from an address where no host answers', async () => {
      const real = await realError("require('node:net').connect(80, '10.7.0.2').on('error', report)")
      expectFidelity({
        preset: 'net/ehostunreach',
        beside,
        real,
        injected: networkErrors['net/ehostunreach']({ host: '10.7.0.2', port: 80 }),
      })
    })

    it('net/etimedout, from an address where nothing comes back', async () => {
      const real = await realError(
        "require('node:net').connect(80, '10.8.0.2').on('error', report)",
        'sysctl -qw net.ipv4.tcp_syn_retries=1',
      )
      expectFidelity({
        preset: 'net/etimedout',
        beside,
        real,
        injected: networkErrors['net/etimedout']({ host: '10.8.0.2', port: 80 }),
      })
    })

    it('dns/eai-again, from a resolver that cannot be reached', async () => {
      const real = await realError("require('node:dns').lookup('some-host.example', report)")
      expectFidelity({
        preset: 'dns/eai-again',
        beside,
        real,
        injected: networkErrors['dns/eai-again']({ host: 'some-host.example', port: 0 }),
      })
    })
  },
)

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSocket } from '@chaos/control'
import { createChaos } from '@chaos/core'
import { udpFaults } from '@chaos/proxy/faults'
import { createUdpProxy } from '@chaos/proxy/udp'
import { expect, it, onTestFinished } from 'vitest'
import { packageNamed } from '../../../src/repository.js'
import { run } from '../../../src/run.js'

const chaosBin = join(packageNamed('cli').dir, 'dist', 'bin.js')

it('lets the command line inject faults on datagrams, and refuses what is none', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'chaos-udp-'))
  const server = createSocket('udp4')
  server.on('message', (bytes, { port }) => server.send(bytes, port)).bind(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = await createUdpProxy({ upstream: `127.0.0.1:${server.address().port}` })
  const chaos = createChaos({ environment: 'test', seed: 1 })
  chaos.target('statsd', proxy, udpFaults)
  const endpoint = await openSocket(chaos, { directory })
  const client = createSocket('udp4')
  onTestFinished(async () => {
    client.close()
    await endpoint.close()
    await chaos.close()
    await proxy.close()
    server.close()
    rmSync(directory, { recursive: true })
  })
  const cli = (...args: string[]) =>
    run(process.execPath, [chaosBin, ...args], { env: { ...process.env, CHAOS_SOCKET_DIR: directory } })

  expect((await cli('targets')).stdout).toMatch(/statsd +proxy\/corrupt-datagrams, .*proxy\/throttle-datagrams/)

  const injected = await cli(
    'inject',
    'statsd',
    'lose-datagrams',
    '--stream',
    'downstream',
    '--limit',
    '1',
    '--for',
    '60s',
  )
  expect(injected, injected.stderr).toMatchObject({ exitCode: 0 })
  const answered = once(client, 'message')
  client.send('lost', proxy.port, proxy.host)
  client.send('answered', proxy.port, proxy.host)
  expect(String((await answered)[0])).toBe('answered')
  expect(proxy.counters.dropped.byFault).toBe(1)

  const typo = await cli('inject', 'statsd', 'delay-datagrams', '--delay-ms', '5', '--order', 'loose')
  expect(typo.stderr).toContain("'--order <keep|free>' argument 'loose' is invalid")
  const bytes = await cli('inject', 'statsd', 'proxy/delay-data', '--delay-ms', '5')
  expect(bytes.stderr).toContain('Unknown fault "proxy/delay-data" of target "statsd".')
  expect([typo.exitCode, bytes.exitCode].filter((code) => code === 0)).toEqual([])
})

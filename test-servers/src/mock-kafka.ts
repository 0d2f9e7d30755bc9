import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { OwnServer } from './own-server.js'

/**
 * Starts the mock cluster of librdkafka, which every client of that library can host: kcat does, for as long as it waits for input. It answers on the wire as
 * a broker does (topics, offsets, consumer groups), and keeps everything in memory.
 */
export async function mockKafka(): Promise<Pick<OwnServer, 'port' | 'stop'>> {
  const child = spawn('kcat', ['-P', '-b', 'mock', '-t', 'idle', '-X', 'test.mock.num.brokers=1', '-d', 'mock'], {
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  const killWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const ended = once(child, 'exit').then(() => process.off('exit', killWithUs))
  const port = await new Promise<number>((resolve, reject) => {
    let output = ''
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`Expected kcat to start a mock cluster, it ended:\n${output}`)))
    child.stderr.on('data', (chunk) => {
      output = (output + String(chunk)).slice(-4_000)
      const found = /bootstrap\.servers=[\d.]+:(\d+)/.exec(output)?.[1]
      if (found !== undefined) resolve(Number(found))
    })
  })
  return {
    port,
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

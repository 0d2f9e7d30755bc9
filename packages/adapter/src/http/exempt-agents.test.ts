import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { withFault } from '@chaos/core'
import { exempt } from '@chaos/core/authoring'
import { expect, it, onTestFinished } from 'vitest'
import { answerRequests, corruptResponses, cutResponses } from './index.js'

it('leaves requests by an exempt agent alone, such as those of a proxy in the same process', async () => {
  const server = http.createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const get = async (agent: http.Agent): Promise<string> => {
    const request = http.get({ port, host: '127.0.0.1', agent })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    return (await response.toArray()).join('')
  }
  for (const fault of [answerRequests(), corruptResponses(), cutResponses()]) {
    await withFault(fault, http, async (injection) => {
      expect(await get(exempt(new http.Agent()))).toBe('hello')
      expect(injection.seen).toBe(0)
      await get(new http.Agent()).catch(() => undefined)
      expect(injection.affected).toBe(1)
    })
  }
})

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { scrape } from './scrape.js'

async function serve(status: number, page: string): Promise<string> {
  const server = createServer((_request, response) => void response.writeHead(status).end(page))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`
}

it('gives the samples, labelled, and up 1', async () => {
  const url = await serve(200, 'a 1\n')
  const labels = { job: 'app', instance: new URL(url).host }
  expect(await scrape(url, { job: 'app', timeoutMs: 5_000 })).toEqual({
    samples: [
      { name: 'a', labels, value: 1 },
      { name: 'up', labels, value: 1 },
    ],
    error: undefined,
  })
})

it.each([
  ['has another status', 500, 'a 1\n', 'status 500'],
  ['cannot be parsed', 200, 'a 1\n<html>\n', 'Line 2'],
  ['is too long', 200, 'a 1\n'.repeat(300), 'larger than 1000 bytes'],
])('gives up 0, and nothing else, for a page that %s', async (_title, status, page, error) => {
  const found = await scrape(await serve(status, page), { job: 'app', timeoutMs: 5_000, maxBytes: 1_000 })
  expect(found.samples).toMatchObject([{ name: 'up', value: 0 }])
  expect(found.error).toContain(error)
})

it('gives up 0 when nobody answers', async () => {
  expect((await scrape('http://127.0.0.1:1/metrics', { job: 'app', timeoutMs: 5_000 })).samples).toMatchObject([
    { name: 'up', value: 0 },
  ])
})

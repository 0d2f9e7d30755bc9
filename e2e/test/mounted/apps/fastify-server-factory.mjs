import { createServer } from 'node:http'
import { mountEndpoint } from '@chaos/control'
import fastify from 'fastify'
import { add, announce, chaos, find, port, token } from './scores.mjs'

const app = fastify({
  serverFactory(handler) {
    const server = createServer(handler)
    mountEndpoint(server, chaos, { token })
    return server
  },
})
app.get('/scores/:name', async (req, reply) => {
  const { status, body } = await find(req.params.name)
  return reply.code(status).send(body)
})
app.post('/scores', async (req, reply) => reply.code(201).send(await add(req.body)))

await app.listen({ port, host: '127.0.0.1' })
announce(app.server, () => app.close())

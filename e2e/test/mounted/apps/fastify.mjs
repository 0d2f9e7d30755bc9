import { mountEndpoint } from '@chaos/control'
import compress from '@fastify/compress'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import fastify from 'fastify'
import { add, announce, chaos, find, port, tellWebSockets, token } from './scores.mjs'

const app = fastify({ trustProxy: true })
await app.register(helmet)
await app.register(cors)
await app.register(compress, { threshold: 0 })
app.get('/scores/:name', async (req, reply) => {
  const { status, body } = await find(req.params.name)
  return reply.code(status).send(body)
})
app.post('/scores', async (req, reply) => reply.code(201).send(await add(req.body)))
app.setNotFoundHandler((_req, reply) => reply.code(404).send({ error: 'no such page' }))

mountEndpoint(app.server, chaos, { token })

tellWebSockets(app.server)
await app.listen({ port, host: '127.0.0.1' })
announce(app.server, () => app.close())

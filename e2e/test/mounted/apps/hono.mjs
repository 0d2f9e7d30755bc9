import { mountEndpoint } from '@chaos/control'
import { serve, upgradeWebSocket } from '@hono/node-server'
import { Hono } from 'hono'
import { compress } from 'hono/compress'
import { cors } from 'hono/cors'
import { secureHeaders } from 'hono/secure-headers'
import { WebSocketServer } from 'ws'
import { add, announce, chaos, find, onScore, port, token } from './scores.mjs'

const app = new Hono()
app.get(
  '/live',
  upgradeWebSocket(() => ({ onOpen: (_event, socket) => onScore((score) => socket.send(score)) })),
)
app.use(secureHeaders(), cors(), compress({ threshold: 0 }))
app.get('/scores/:name', async (c) => {
  const { status, body } = await find(c.req.param('name'))
  return c.json(body, status)
})
app.post('/scores', async (c) => c.json(await add(await c.req.json()), 201))
app.notFound((c) => c.json({ error: 'no such page' }, 404))

const websocket = { server: new WebSocketServer({ noServer: true }) }
const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1', websocket })
mountEndpoint(server, chaos, { token })

announce(server)

import { mountEndpoint } from '@chaos/control'
import compression from 'compression'
import cors from 'cors'
import express from 'express'
import helmet from 'helmet'
import { add, announce, chaos, find, port, tellWebSockets, token } from './scores.mjs'

const app = express()
app.set('trust proxy', true)
app.use(helmet(), cors(), compression({ threshold: 0 }), express.json(), express.urlencoded({ extended: true }))
app.get('/scores/:name', async (req, res) => {
  const { status, body } = await find(req.params.name)
  res.status(status).json(body)
})
app.post('/scores', async (req, res) => res.status(201).json(await add(req.body)))
app.use((_req, res) => res.status(404).json({ error: 'no such page' }))

const server = app.listen(port, '127.0.0.1')
mountEndpoint(server, chaos, { token })

tellWebSockets(server)
announce(server)

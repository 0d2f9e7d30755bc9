import { createServer } from 'node:http'
import { mountEndpoint } from '@chaos/control'
import { answer } from './node-routes.mjs'
import { announce, chaos, port, tellWebSockets, token } from './scores.mjs'

const server = createServer(answer).listen(port, '127.0.0.1')
mountEndpoint(server, chaos, { token })

tellWebSockets(server)
announce(server)

import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { mountEndpoint } from '@chaos/control'
import { answer } from './node-routes.mjs'
import { announce, chaos, port, token } from './scores.mjs'

const tls = { key: readFileSync(process.env.TLS_KEY), cert: readFileSync(process.env.TLS_CERT) }
const server = createServer(tls, answer).listen(port, '127.0.0.1')
mountEndpoint(server, chaos, { token })

announce(server)

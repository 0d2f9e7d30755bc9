import { readFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import { mountEndpoint } from '@chaos/control'
import { answer } from './node-routes.mjs'
import { announce, chaos, port, tellWebSockets, token } from './scores.mjs'

const tls = { key: readFileSync(process.env.TLS_KEY), cert: readFileSync(process.env.TLS_CERT) }
// The event stream and the `chaos` command need HTTP/1.1.
const server = createSecureServer({ ...tls, allowHTTP1: true }, answer).listen(port, '127.0.0.1')
mountEndpoint(server, chaos, { token })

tellWebSockets(server)
announce(server)

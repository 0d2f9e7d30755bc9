// A cluster worker: an HTTP server that answers with its pid; it answers each message with the same, and says when it is up.
import { createServer } from 'node:http'

createServer((_request, response) => response.setHeader('connection', 'close').end(String(process.pid))).listen(
  Number(process.argv[2]),
  '127.0.0.1',
  () => process.send('up'),
)
process.on('message', (message) => process.send(message))

// An app that knows nothing of chaos: each request reads a file, and is answered with what came of it.
const { readFile } = require('node:fs/promises')
const { createServer } = require('node:http')

const server = createServer(async (request, response) => {
  const answer = request.url === '/' ? 'up' : await readFile(__filename).then(String, (error) => error.code)
  response.end(answer)
})
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))

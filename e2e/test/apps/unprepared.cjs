// An app that knows nothing of chaos: it reads a file, asks a service and has a worker, and says what came of each, ten times a second.
const { readFile } = require('node:fs/promises')
const { createServer } = require('node:http')
const { Worker } = require('node:worker_threads')

let worker
let starts = 0
function start() {
  starts += 1
  worker = new Worker('require("node:worker_threads").parentPort.on("message", () => undefined)', { eval: true })
  worker.once('exit', start)
}
start()

const server = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${server.address().port}/`
  setInterval(async () => {
    const file = await readFile(__filename).then(
      () => 'read',
      (error) => error.code,
    )
    const service = await fetch(url).then(
      ({ status }) => status,
      (error) => error.cause?.code ?? error.name,
    )
    console.log(JSON.stringify({ file, service, starts }))
  }, 100)
})

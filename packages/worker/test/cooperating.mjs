// A process that blocks its own main thread: on `block` it injects the fault, on `end` it takes it back and tells what was affected; anything else it answers
// with the same.
import { inject } from '@chaos/core'
import { blockMainThread } from '@chaos/worker'

let injection

async function hear(message) {
  if (message === 'block') {
    injection = await inject(blockMainThread({ blockMs: 50, everyMs: 1 }), process)
    process.send('armed')
  } else if (message === 'end') {
    const { affected } = await injection.rollback()
    process.send({ affected })
  } else process.send(message)
}

process.on('message', (message) => void hear(message))
process.on('disconnect', () => process.exit())
process.send('up')

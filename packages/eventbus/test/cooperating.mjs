// A thread or process that breaks itself: on `{ fault, options, how }` it injects that fault into its own end, on `end` it takes it back.
// Each answer `done` tells what was affected; anything else it answers with the same.
import { parentPort } from 'node:worker_threads'
import { inject } from '@chaos/core'
import * as faults from '@chaos/worker'

const end = parentPort ?? process
const answer = (message) => (parentPort === null ? process.send(message) : parentPort.postMessage(message))
let injection

async function hear(message) {
  if (message?.fault !== undefined) {
    injection = await inject(
      faults[message.fault](message.options),
      message.fault === 'blockMainThread' ? process : end,
      message.how,
    )
    answer('armed')
  } else if (message === 'end') {
    const { affected } = await injection.rollback()
    answer({ affected })
  } else answer(message)
}

end.on('message', (message) => void hear(message))
if (parentPort === null) process.on('disconnect', () => process.exit())
answer('up')

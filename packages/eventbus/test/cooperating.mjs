// A thread or process that breaks its own end of the channel: on `{ fault, options, how }` it injects that fault, and it answers anything else with the same.
import { parentPort } from 'node:worker_threads'
import { inject } from '@chaos/core'
import * as faults from '@chaos/eventbus'

const end = parentPort ?? process
const answer = (message) => (parentPort === null ? process.send(message) : parentPort.postMessage(message))

async function hear(message) {
  if (message?.fault === undefined) return answer(message)
  await inject(faults[message.fault](message.options), end, message.how)
  return answer('armed')
}

end.on('message', (message) => void hear(message))
if (parentPort === null) process.on('disconnect', () => process.exit())
answer('up')

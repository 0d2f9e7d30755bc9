import { MessageChannel, type MessagePort } from 'node:worker_threads'

export const isAsync = true

/** A port whose other end answers what it gets. */
export function make(): MessagePort {
  const { port1, port2 } = new MessageChannel()
  port2.on('message', (value) => port2.postMessage(value))
  port2.unref()
  return port1
}

export function use(port: MessagePort): (last: unknown) => unknown {
  let answer: (value: unknown) => void = () => undefined
  port.on('message', (value) => answer(value))
  return (last) =>
    new Promise((resolve) => {
      answer = resolve
      port.postMessage(last)
    })
}

export function dispose(port: MessagePort): void {
  port.close()
}

export const isAsync = false

export interface Dispatcher {
  readonly target: EventTarget
  readonly event: Event
}

export function make(listeners: number): Dispatcher {
  const target = new EventTarget()
  for (let index = 0; index < listeners; index += 1) target.addEventListener('tick', () => index)
  return { target, event: new Event('tick') }
}

export function use({ target, event }: Dispatcher): (last: unknown) => unknown {
  return () => target.dispatchEvent(event)
}

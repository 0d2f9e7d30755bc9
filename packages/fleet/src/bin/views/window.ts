import type { ControllerTransport } from '../../transports/transport.js'
import { span } from './span.js'

/** Whether runs are permitted, as an engine says it. */
export type Window = Awaited<ReturnType<ControllerTransport['status']>>

/** Whether runs are permitted, in a few words. */
export function windowWords({ isPermitted, openForMs, halt }: Window): string {
  if (halt !== undefined) return `halted: ${halt}`
  return isPermitted ? `open for ${span(openForMs)}` : 'closed, so no run may begin'
}

/** Whether runs are permitted, as JSON. A window without an end has `openForMs` null. */
export const windowJson = ({ isPermitted, openForMs, halt, epoch }: Window) => ({
  isPermitted,
  openForMs: Number.isFinite(openForMs) ? openForMs : null,
  halt: halt ?? null,
  epoch,
})

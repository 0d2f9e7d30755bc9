/** The `readyState` of a closed `WebSocket`, in Node.js as in its libraries. */
const CLOSED = 3

/**
 * Whether an event is a message of a web socket that is closed, so that no real message would come any more. Its other events,
 * such as `close` itself, still come.
 */
export const isOfClosedSocket = (target: object, name: unknown): boolean =>
  name === 'message' && Reflect.get(target, 'readyState') === CLOSED

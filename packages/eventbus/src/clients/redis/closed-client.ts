/** Whether the application has closed a client: one of ioredis, whose status follows a little later or never, or one of node-redis. */
export const isClosed = (client: object): boolean =>
  Reflect.get(client, 'status') === 'end' ||
  Reflect.get(client, 'manuallyClosing') === true ||
  Reflect.get(client, 'isOpen') === false

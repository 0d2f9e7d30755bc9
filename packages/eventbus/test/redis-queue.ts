/** The queue of a client of node-redis, if it shows it. A fault leaves nothing on it. */
export function redisQueue(client: object): readonly object[] {
  const show: unknown = Reflect.get(client, '_getQueue')
  const queue: unknown = typeof show === 'function' ? Reflect.apply(show, client, []) : undefined
  return typeof queue === 'object' && queue !== null ? [queue, Object.getPrototypeOf(queue) as object] : []
}

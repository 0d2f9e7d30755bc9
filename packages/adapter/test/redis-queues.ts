import { createRequire } from 'node:module'

/** Every object that a client of node-redis shares with a fault beneath it: its queue, if it shows it, and the class of queues. */
export function redisQueues(client: object): readonly object[] {
  const show: unknown = Reflect.get(client, '_getQueue')
  const own: unknown = typeof show === 'function' ? Reflect.apply(show, client, []) : undefined
  const { cache } = createRequire(import.meta.url)
  const classes = queueFiles().map(
    (path) => (cache[path]?.exports as { readonly default: { prototype: object } }).default,
  )
  return [...(typeof own === 'object' && own !== null ? [own] : []), ...classes.map(({ prototype }) => prototype)]
}

/** The loaded modules of queues. */
const queueFiles = (): string[] =>
  Object.keys(createRequire(import.meta.url).cache).filter((path) => path.endsWith('commands-queue.js'))

/** Runs work as in an application that has node-redis bundled: its modules are not found. */
export async function asBundled<Result>(work: () => Promise<Result>): Promise<Result> {
  const { cache } = createRequire(import.meta.url)
  const hidden = queueFiles().map((path) => [path, cache[path]] as const)
  for (const [path] of hidden) Reflect.deleteProperty(cache, path)
  try {
    return await work()
  } finally {
    for (const [path, module] of hidden) cache[path] = module
  }
}

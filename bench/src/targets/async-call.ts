/** A client with async functions of its own. */
export interface Client {
  readonly get: (key: unknown) => Promise<unknown>
  readonly set: (key: unknown) => Promise<unknown>
}

export const isAsync = true

export function make(): Client {
  return {
    async get(key) {
      return Promise.resolve(key)
    },
    async set(key) {
      return Promise.resolve(key)
    },
  }
}

export function use(client: Client): (last: unknown) => unknown {
  return (last) => client.get(last)
}

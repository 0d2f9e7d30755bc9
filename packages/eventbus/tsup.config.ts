import { defineConfig } from 'tsup'
import { base } from '../../tsup.base.js'

/** A subpath for each client library, so that nobody loads what they do not use. */
const clients = ['amqplib', 'bullmq', 'ioredis', 'jetstream', 'kafkajs', 'mqtt', 'nats', 'node-redis', 'ws']

export default defineConfig({
  ...base,
  entry: {
    index: 'src/index.ts',
    register: 'src/register.ts',
    ...Object.fromEntries(clients.map((name) => [name, `src/clients/${name}/index.ts`])),
  },
})

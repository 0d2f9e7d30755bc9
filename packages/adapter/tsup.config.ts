import { defineConfig } from 'tsup'
import { base } from '../../tsup.base.js'

export default defineConfig({
  ...base,
  entry: {
    index: 'src/calls/index.ts',
    dns: 'src/dns/index.ts',
    fs: 'src/files/index.ts',
    http: 'src/http/index.ts',
    ioredis: 'src/drivers/ioredis/index.ts',
    level: 'src/drivers/level/index.ts',
    mongodb: 'src/drivers/mongodb/index.ts',
    mysql2: 'src/drivers/mysql2/index.ts',
    net: 'src/net/index.ts',
    'node-redis': 'src/drivers/node-redis/index.ts',
    pg: 'src/drivers/pg/index.ts',
    register: 'src/register.ts',
    tls: 'src/tls/index.ts',
  },
  // The CommonJS entries share their code, as the ESM ones do.
  splitting: true,
})

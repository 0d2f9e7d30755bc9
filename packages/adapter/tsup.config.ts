import { defineConfig } from 'tsup'
import { base } from '../../tsup.base.js'

export default defineConfig({
  ...base,
  entry: {
    index: 'src/index.ts',
    dns: 'src/dns.ts',
    fetch: 'src/fetch.ts',
    fs: 'src/fs.ts',
    http: 'src/http.ts',
    ioredis: 'src/ioredis.ts',
    level: 'src/level.ts',
    mongodb: 'src/mongodb.ts',
    mysql2: 'src/mysql2.ts',
    net: 'src/net.ts',
    'node-redis': 'src/node-redis.ts',
    pg: 'src/pg.ts',
    register: 'src/register.ts',
    tls: 'src/tls.ts',
  },
})

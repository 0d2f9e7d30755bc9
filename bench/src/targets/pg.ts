import pg from 'pg'

export const isAsync = true

export async function make(): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    database: process.env['PGDATABASE'] ?? 'postgres',
    user: process.env['PGUSER'] ?? 'root',
  })
  await client.connect()
  return client
}

export function use(client: pg.Client): (last: unknown) => unknown {
  return () => client.query('select 1')
}

export async function dispose(client: pg.Client): Promise<void> {
  await client.end()
}

import { ownMariaDb, ownPostgres, ownRedis, type OwnServer } from '@chaos/test-servers'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { Redis } from 'ioredis'

const closings: (() => Promise<unknown>)[] = []

/** The servers that run. The files of this package share this module: each starts its own, since each stops what runs. */
const running = new Map<() => Promise<unknown>, Promise<unknown>>()

/** Starts a server when it is first asked for, and again after it was stopped. */
function once<T>(start: () => Promise<T>): () => Promise<T> {
  return () => {
    const started = (running.get(start) as Promise<T> | undefined) ?? start()
    running.set(start, started)
    return started
  }
}

/** Stops what has been started, the newest first. */
export async function stopServers(): Promise<void> {
  running.clear()
  for (const close of closings.splice(0).reverse()) await close()
}

function stoppedAtEnd(server: OwnServer): OwnServer {
  closings.push(() => server.stop())
  return server
}

/** A PostgreSQL server with a table `entries`, and how many rows it has. */
export const postgres = once(async () => {
  const { port } = stoppedAtEnd(await ownPostgres())
  const address = { host: '127.0.0.1', port, user: 'root', database: 'postgres' }
  const witness = new pg.Pool(address)
  closings.push(() => witness.end())
  await witness.query('create table entries (name text)')
  const written = async (): Promise<number> =>
    Number((await witness.query<{ count: string }>('select count(*) from entries')).rows[0]?.count)
  return { address, written }
})

/** A MariaDB server with a table `entries`, and how many rows it has. */
export const mariadb = once(async () => {
  const { port } = stoppedAtEnd(await ownMariaDb())
  const root = await mysql.createConnection({ host: '127.0.0.1', port, user: 'root', multipleStatements: true })
  await root.query('create database app; create table app.entries (name text) engine=innodb')
  root.destroy()
  const address = { host: '127.0.0.1', port, user: 'root', database: 'app' }
  const witness = mysql.createPool(address)
  closings.push(() => witness.end())
  const written = async (): Promise<number> => {
    const [[row]] = await witness.query<mysql.RowDataPacket[]>('select count(*) as n from entries')
    return (row as { readonly n: number }).n
  }
  return { address, written }
})

/** A Redis server, and how many elements its list `entries` has. */
export const redis = once(async () => {
  const { port } = stoppedAtEnd(await ownRedis())
  const witness = new Redis(port)
  closings.push(() => witness.quit())
  return { port, written: () => witness.llen('entries') }
})

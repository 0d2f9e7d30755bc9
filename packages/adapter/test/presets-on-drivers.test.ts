import { injectedBy, withFault } from '@chaos/core'
import { hasPrograms, ownMariaDb, ownPostgres, ownRedis, SERVER_TIMEOUT_MS } from '@chaos/test-servers'
import { Redis, ReplyError } from 'ioredis'
import { access, mkdtemp, rm } from 'node:fs/promises'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { createClient, SimpleError } from 'redis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { refuseCalls } from '../src/calls/index.js'
import { rejection } from './rejection.js'

describe('a preset, on the client of a real service', () => {
  it.runIf(hasPrograms('redis-server'))(
    'gives ioredis and node-redis their own classes, and never reaches Redis (skipped without `redis-server`: Debian package redis-server)',
    async () => {
      const server = await ownRedis()
      const [client, other] = [
        new Redis(server.port),
        createClient({ socket: { host: '127.0.0.1', port: server.port } }),
      ]
      onTestFinished(async () => {
        client.disconnect()
        other.destroy()
        await server.stop()
      })
      await other.connect()
      await withFault(refuseCalls({ methods: 'set', error: 'redis/readonly' }), client, async () => {
        const error = await rejection(client.set('key', 1))
        expect(error).toBeInstanceOf(ReplyError)
        expect(error).toMatchObject({ name: 'ReplyError', command: { name: 'set', args: ['key', '1'] } })
        expect(injectedBy(error)).toBe('adapter/refuse-calls')
      })
      await withFault(refuseCalls({ methods: 'set', error: 'redis/readonly' }), other, async () => {
        expect(await rejection(other.set('key', 2))).toBeInstanceOf(SimpleError)
      })
      expect(await client.get('key')).toBeNull()
      expect(await other.set('key', 3)).toBe('OK')
    },
  )

  it.runIf(hasPrograms('initdb', 'postgres'))(
    'gives pg its DatabaseError, and never reaches PostgreSQL (skipped without `initdb` and `postgres`: Debian package postgresql)',
    async () => {
      const server = await ownPostgres()
      const pool = new pg.Pool({ host: '127.0.0.1', port: server.port, user: 'root', database: 'postgres' })
      onTestFinished(async () => {
        await pool.end()
        await server.stop()
      })
      await withFault(refuseCalls({ methods: 'query', error: 'postgres/deadlock' }), pool, async () => {
        const error = await rejection(pool.query('create table accounts ()'))
        expect(error).toBeInstanceOf(pg.DatabaseError)
        expect(error).toMatchObject({ code: '40P01', severity: 'ERROR', routine: 'DeadLockReport' })
      })
      expect((await pool.query("select from pg_tables where tablename = 'accounts'")).rowCount).toBe(0)
    },
    SERVER_TIMEOUT_MS,
  )

  it.runIf(hasPrograms('mariadbd', 'mariadb-install-db'))(
    'gives mysql2 its error with the statement, and never reaches MariaDB (skipped without `mariadbd`: Debian package mariadb-server)',
    async () => {
      const server = await ownMariaDb()
      const connection = await mysql.createConnection({ host: '127.0.0.1', port: server.port, user: 'root' })
      onTestFinished(async () => {
        connection.destroy()
        await server.stop()
      })
      await withFault(
        refuseCalls({ methods: ['query', 'execute'], error: 'mysql/lock-wait' }),
        connection,
        async () => {
          expect(await rejection(connection.query('create database app'))).toMatchObject({
            code: 'ER_LOCK_WAIT_TIMEOUT',
            errno: 1205,
            sqlState: 'HY000',
            sql: 'create database app',
          })
        },
      )
      expect((await connection.query("show databases like 'app'"))[0]).toEqual([])
    },
    SERVER_TIMEOUT_MS,
  )

  it('gives fs.promises the error of a full disk, and never reaches the disk', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chaos-adapter-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const file = join(folder, 'file')
    await withFault(refuseCalls({ methods: 'writeFile', error: 'fs/enospc' }), fs.promises, async () => {
      expect(await rejection(fs.promises.writeFile(file, 'x'))).toMatchObject({
        code: 'ENOSPC',
        errno: -28,
        syscall: 'write',
        message: 'ENOSPC: no space left on device, write',
      })
    })
    await expect(access(file)).rejects.toThrow('ENOENT')
    await withFault(refuseCalls({ methods: 'open', error: 'fs/emfile' }), fs.promises, async () => {
      expect(await rejection(fs.promises.open(file))).toMatchObject({ code: 'EMFILE', path: file })
    })
  })
})

import { inject, withFault } from '@chaos/core'
import { EventEmitter } from 'node:events'
import vm from 'node:vm'
import { Redis } from 'ioredis'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { refuseCalls } from './faults/refuse-calls.js'
import { breakable } from './methods.js'

const refused = { message: 'refused' }

/** A client that can be called and has methods, as axios and got are. */
function callable() {
  const request = (path: string): Promise<string> => Promise.resolve(path)
  return Object.assign(request, {
    get: (path: string): Promise<string> => request(`get ${path}`),
    post: async (path: string): Promise<string> => request(`post ${path}`),
    defaults: {},
  })
}

describe('a client that can be called', () => {
  it('is broken at the methods that are named, or that are `async`, and its other members stay', async () => {
    const client = callable()
    const before = Object.getOwnPropertyDescriptors(client)
    await withFault(refuseCalls({ methods: 'get', ...refused }), client, async () => {
      await expect(client.get('/')).rejects.toThrow('refused')
      expect([await client.post('/'), await client('/')]).toEqual(['post /', '/'])
    })
    await withFault(refuseCalls(refused), client, async () => {
      await expect(client.post('/')).rejects.toThrow('refused')
      expect(await client.get('/')).toBe('get /')
    })
    expect(Object.getOwnPropertyDescriptors(client)).toEqual(before)
  })

  it('is broken at its calls and at its methods if it is breakable', async () => {
    const client = breakable(
      Object.assign(
        function axios(path: string) {
          return Promise.resolve(path)
        },
        { get: callable().get },
      ),
    )
    await withFault(refuseCalls({ methods: ['axios', 'get'], ...refused }), client, async () => {
      await expect(client('/')).rejects.toThrow('refused')
      await expect(client.get('/')).rejects.toThrow('refused')
    })
    expect([await client('/'), await client.get('/')]).toEqual(['/', 'get /'])
  })

  it('inherits methods that are broken, too', async () => {
    const client = Object.setPrototypeOf((): void => undefined, callable()) as ReturnType<typeof callable>
    await withFault(refuseCalls({ methods: 'get', ...refused }), client, () =>
      expect(client.get('/')).rejects.toThrow('refused'),
    )
    expect(Reflect.ownKeys(client)).not.toContain('get')
  })
})

describe('a class', () => {
  class Model {
    static async find(): Promise<string> {
      return Promise.resolve('found')
    }
    async save(): Promise<string> {
      return Promise.resolve('saved')
    }
  }

  it('is broken at its static methods if they are named, else at those of its instances', async () => {
    await withFault(refuseCalls(refused), Model, async () => {
      expect(await Model.find()).toBe('found')
      await expect(new Model().save()).rejects.toThrow('refused')
    })
    await withFault(refuseCalls({ methods: ['find', 'save'], ...refused }), Model, async () => {
      await expect(Model.find()).rejects.toThrow('refused')
      await expect(new Model().save()).rejects.toThrow('refused')
    })
    expect([await Model.find(), await new Model().save()]).toEqual(['found', 'saved'])
  })
})

describe('an unusual target', () => {
  it('is broken without a prototype, behind a proxy, from another realm, and beside getters that throw', async () => {
    const get = (): Promise<string> => Promise.resolve('got')
    const bare = Object.assign(Object.create(null) as object, { get })
    const proxied = new Proxy({ get }, {})
    const foreign = vm.runInNewContext('({ get: async () => "got" })') as { get: () => Promise<string> }
    const bound = { get: get.bind(undefined) }
    const throwing = Object.defineProperty({ get }, 'broken', {
      get: () => {
        throw new Error('of the application')
      },
    })
    for (const target of [bare, proxied, foreign, bound, throwing]) {
      await withFault(refuseCalls({ methods: 'get', ...refused }), target, () =>
        expect(target.get()).rejects.toThrow('refused'),
      )
      expect(await target.get()).toBe('got')
    }
    await expect(inject(refuseCalls({ methods: '*x' }), foreign)).rejects.toThrow('Known: "get"')
  })

  it('is refused if it is frozen', async () => {
    const frozen = Object.freeze({ get: async () => Promise.resolve('got') })
    await expect(inject(refuseCalls(), frozen)).rejects.toMatchObject({ code: 'CHAOS_TARGET_SEALED' })
  })
})

describe('a client that a binding fits', () => {
  it.each<[string, () => object, string]>([
    [
      'pg.Pool',
      () => new pg.Pool(),
      'The target is a pool of pg. Its operations are commands: bind it with `bindPg` of `@chaos/adapter/pg`',
    ],
    ['pg.Client', () => new pg.Client(), '`bindPg` of `@chaos/adapter/pg`'],
    ['the class pg.Client', () => pg.Client, '`bindPg` of `@chaos/adapter/pg`'],
    [
      'ioredis',
      () => {
        const client = new Redis({ lazyConnect: true })
        onTestFinished(() => client.disconnect())
        return client
      },
      '`bindIoredis` of `@chaos/adapter/ioredis`',
    ],
    [
      'a pool of mysql2',
      () => {
        const pool = mysql.createPool({ host: '127.0.0.1' })
        onTestFinished(() => pool.end())
        return pool
      },
      '`bindMysql2` of `@chaos/adapter/mysql2`',
    ],
    [
      'an mqtt client',
      () => Object.assign(new EventEmitter(), { publish: () => 1, subscribe: () => 1, handleMessage: () => 1 }),
      'Its operations are messages: bind it with `bindMqtt` of `@chaos/eventbus/mqtt` and use event faults.',
    ],
  ])('is named with its binding: %s', async (_name, target, words) => {
    await expect(inject(refuseCalls({ methods: 'noSuchMethod' }), target())).rejects.toThrow(words)
  })

  it('is told of it without `methods` too', async () => {
    const error = await inject(refuseCalls(), new pg.Pool()).catch((caught: unknown) => caught)
    expect(String(error)).toContain('bind it with `bindPg`')
    expect(String(error), 'internals of the pool').not.toContain('_pulseQueue')
  })
})

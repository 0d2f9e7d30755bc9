// The same tests in both module systems. Each fixture project gives its own way to load a module.
const { EventEmitter, once } = require('node:events')
const http = require('node:http')
const { Worker } = require('node:worker_threads')

exports.cases = ({ jest, load }) => {
  const { test, expect, afterEach } = globalThis

  afterEach(() => {
    jest.useRealTimers()
    jest.restoreAllMocks()
  })

  async function listening(onTestEnd) {
    const server = http.createServer((_, res) => res.end('real'))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    onTestEnd.push(() => server.close())
    return `http://127.0.0.1:${server.address().port}/`
  }

  test('delays events while the fake timers of Jest are on', async () => {
    const { withFault } = await load('@chaos/core')
    const { delayEvents } = await load('@chaos/eventbus')
    jest.useFakeTimers()
    const bus = new EventEmitter()
    const heard = once(bus, 'tick')
    await withFault(delayEvents({ delayMs: 5 }), bus, {}, async () => {
      bus.emit('tick', 1)
      expect(await heard).toEqual([1])
    })
    expect(Object.getPrototypeOf(bus)).toBe(EventEmitter.prototype)
  })

  test('marks the refused call of an object, an Error of the sandbox', async () => {
    const { withFault, injectedBy } = await load('@chaos/core')
    const { refuseCalls } = await load('@chaos/adapter')
    const store = { get: async () => 'real' }
    await withFault(refuseCalls({ error: 'ECONNREFUSED' }), store, {}, async () => {
      const error = await store.get('a').catch((thrown) => thrown)
      expect(error).toBeInstanceOf(Error)
      expect(error.code).toBe('ECONNREFUSED')
      expect(injectedBy(error)).toBe('adapter/refuse-calls')
    })
    expect(await store.get('a')).toBe('real')
  })

  test('answers fetch', async () => {
    const { withFault } = await load('@chaos/core')
    const { answerRequests } = await load('@chaos/adapter/http')
    const ended = []
    const url = await listening(ended)
    const get = () => fetch(url, { headers: { connection: 'close' } })
    await withFault(answerRequests({ answer: 'http/500' }), globalThis, {}, async () => {
      expect((await get()).status).toBe(500)
    })
    expect(await (await get()).text()).toBe('real')
    ended.forEach((end) => end())
  })

  test('refuses a connection of node:http as a port without a listener does', async () => {
    const { withFault, injectedBy } = await load('@chaos/core')
    const net = await load('@chaos/adapter/net')
    const ended = []
    const url = await listening(ended)
    const failure = (address) =>
      new Promise((resolve) => http.get(address, { agent: false }, (res) => resolve(res.resume())).on('error', resolve))
    const real = await failure('http://127.0.0.1:1/')
    await withFault(net.refuseConnections(), require('node:net'), {}, async () => {
      const injected = await failure(url)
      expect(injected.code).toBe('ECONNREFUSED')
      expect(injectedBy(injected)).toBe('adapter/refuse-connections')
      expect(injected instanceof Error).toBe(real instanceof Error)
    })
    ended.forEach((end) => end())
  })

  test('drops the messages of a worker thread', async () => {
    const { withFault } = await load('@chaos/core')
    const { dropEvents } = await load('@chaos/eventbus')
    const worker = new Worker(
      "require('node:worker_threads').parentPort.on('message', (m) => require('node:worker_threads').parentPort.postMessage(m))",
      { eval: true },
    )
    const heard = []
    worker.on('message', (message) => heard.push(message))
    await withFault(dropEvents(), worker, {}, async (fault) => {
      worker.postMessage(1)
      while (fault.affected === 0) await new Promise((resolve) => setImmediate(resolve))
    })
    worker.postMessage(2)
    while (!heard.includes(2)) await new Promise((resolve) => setImmediate(resolve))
    expect(heard).toEqual([2])
    await worker.terminate()
  })

  test.each(['fault', 'spy'])('ends a fault and a spy on one member, the %s first', async (first) => {
    const { inject } = await load('@chaos/core')
    const { refuseCalls } = await load('@chaos/adapter')
    for (const faultAbove of [true, false]) {
      const get = async () => 'real'
      const store = { get }
      const spied = () => jest.spyOn(store, 'get')
      const faulted = () => inject(refuseCalls({ error: 'ECONNREFUSED', methods: ['get'] }), store)
      let spy = faultAbove ? spied() : undefined
      const fault = await faulted()
      spy ??= spied()
      await expect(store.get('a')).rejects.toThrow()
      if (first === 'fault') {
        await fault.rollback()
        expect(await store.get('a')).toBe('real')
        spy.mockRestore()
      } else {
        spy.mockRestore()
        await fault.rollback()
      }
      expect(await store.get('a')).toBe('real')
      expect(store.get).toBe(get)
    }
  })

  test('has one fault and one way back when core is loaded anew', async () => {
    const { refuseCalls } = await load('@chaos/adapter')
    const { inject } = await load('@chaos/core')
    const get = async () => 'real'
    const store = { get }
    const first = await inject(refuseCalls({ error: 'ECONNREFUSED' }), store)
    jest.resetModules()
    const again = await load('@chaos/core')
    const second = await again.inject((await load('@chaos/adapter')).refuseCalls({ error: 'ECONNRESET' }), store)
    const error = await store.get('a').catch((thrown) => thrown)
    expect(again.injectedBy(error)).toBe('adapter/refuse-calls')
    await again.createChaos({ environment: 'test' }).controller.stopAll()
    for (const { done } of [first, second]) expect((await done).outcome).toBe('stopped')
    expect(store.get).toBe(get)
  })
}

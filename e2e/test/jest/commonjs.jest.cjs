/* eslint-disable no-undef -- Jest passes its functions to each CommonJS module. */
const { cases } = require('./cases.cjs')

cases({ jest, load: async (name) => require(name) })

test('shares what is in force with an isolated copy', async () => {
  const { inject } = require('@chaos/core')
  const { refuseCalls } = require('@chaos/adapter')
  const get = async () => 'real'
  const store = { get }
  await inject(refuseCalls({ error: 'ECONNREFUSED' }), store)
  let isolated
  jest.isolateModules(() => (isolated = require('@chaos/core')))
  await isolated.createChaos({ environment: 'test' }).controller.stopAll()
  expect(store.get).toBe(get)
})

import { hostname } from 'node:os'
import { expect, it } from 'vitest'
import { identityOf, sdkVersion } from './identity.js'
import own from '../../package.json' with { type: 'json' }

it('names a process by its host, its number and a nonce of this start', () => {
  const { id, labels } = identityOf({})
  expect(id).toMatch(new RegExp(`^${hostname()}:${process.pid}:[\\w-]{8}$`))
  expect(labels).toEqual({ host: hostname() })
  expect(identityOf({}).id).not.toBe(id)
})

it('names a pod by its uid, with what the Downward API tells as labels', () => {
  const env = { POD_UID: '0b1c', POD_NAME: 'shop-7', POD_NAMESPACE: 'eu', NODE_NAME: 'n1' }
  const { id, labels } = identityOf(env)
  expect(id).toMatch(/^0b1c:[\w-]{8}$/)
  expect(labels).toEqual({ host: hostname(), pod: 'shop-7', namespace: 'eu', node: 'n1' })
})

it('leaves out what is not set, and cuts what is too long', () => {
  const { id, labels } = identityOf({ POD_NAME: 'p'.repeat(500), NODE_NAME: '' })
  expect(labels).toEqual({ host: hostname(), pod: 'p'.repeat(200) })
  expect(id).toContain(hostname())
})

it('knows the version of this package', () => {
  expect(sdkVersion()).toBe(own.version)
})

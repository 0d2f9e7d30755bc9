/* eslint-disable no-undef -- Jest passes its functions to each CommonJS module. */
jest.mock('node:fs', () => ({ readFile: jest.fn(), constants: {} }))
jest.mock('node:path')
jest.mock('node:dns')
jest.mock('node:net')
jest.mock('node:timers')

const { withFault, inject } = require('@chaos/core')

const within = (folder) => `${folder}/*`

test('breaks the files of the process while a test mocks `node:fs`', async () => {
  const { failFileOperations } = require('@chaos/adapter/fs')
  const fs = jest.requireActual('node:fs')
  const fault = failFileOperations({ paths: within(__dirname), operations: 'open', error: 'fs/eio' })
  await withFault(fault, fs, async () => {
    await expect(fs.promises.readFile(__filename)).rejects.toMatchObject({ code: 'EIO' })
  })
  await expect(fs.promises.readFile(__filename, 'utf8')).resolves.toContain('jest.mock')
})

test('refuses the mock, which opens no file', async () => {
  const { failFileOperations } = require('@chaos/adapter/fs')
  const fault = failFileOperations({ paths: within(__dirname), error: 'fs/eio' })
  await expect(inject(fault, require('node:fs'))).rejects.toMatchObject({
    code: 'CHAOS_TARGET_MISMATCH',
    message: expect.stringContaining('to be the `node:fs`'),
  })
})

test('breaks lookups and connections while a test mocks `node:dns` and `node:net`', async () => {
  const { failLookups } = require('@chaos/adapter/dns')
  const { refuseConnections } = require('@chaos/adapter/net')
  const dns = jest.requireActual('node:dns')
  const net = jest.requireActual('node:net')
  await withFault(failLookups(), dns, async () => {
    await expect(dns.promises.lookup('localhost')).rejects.toMatchObject({ code: 'EAI_AGAIN' })
  })
  await withFault(refuseConnections(), net, async (fault) => {
    const failed = new Promise((resolve) => net.connect(1, '127.0.0.1').on('error', resolve))
    expect(await failed).toMatchObject({ code: 'ECONNREFUSED' })
    expect(fault.affected).toBe(1)
  })
})

test('ends its leases while a test mocks `node:timers`', async () => {
  const { dropEvents } = require('@chaos/eventbus')
  const { EventEmitter } = require('node:events')
  const fault = await inject(dropEvents(), new EventEmitter(), { leaseMs: 1 })
  await fault.done
  expect(fault.outcome).toBe('lease-expired')
})

import { expect, it } from 'vitest'
import { faults, httpFaults, tcpFaults, udpFaults } from './faults.js'
import * as http from './http/index.js'
import * as proxy from './index.js'
import * as udp from './udp/index.js'

it.each([
  ['the main entry', proxy, tcpFaults, ['createProxy']],
  ['udp', udp, udpFaults, ['createUdpProxy']],
  ['http', http, httpFaults, ['createHttpProxy']],
] as const)('exports every fault of %s, and these names beside them', (_entry, entry, own, names) => {
  const others = Object.entries(entry).filter(([, value]) => !(own as readonly unknown[]).includes(value))
  expect(others.map(([name]) => name).sort()).toEqual(names)
  expect(Object.values(entry)).toEqual(expect.arrayContaining([...own]))
  expect(faults).toEqual(expect.arrayContaining([...own]))
})

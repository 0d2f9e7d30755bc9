import dns from 'node:dns'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import { target, type Targets } from '@chaos/core'
import { dnsFaults, fileFaults, httpFaults, netFaults, tlsFaults } from './faults.js'

/**
 * The targets that `@chaos/control/register` offers in an app without chaos code: the Node.js modules through which the
 * app reaches files and other machines.
 */
export const targets = (): Targets => ({
  fs: target(fs, fileFaults),
  fetch: target(globalThis, httpFaults),
  http: target(http, httpFaults),
  https: target(https, httpFaults),
  net: target(net, netFaults),
  tls: target(tls, tlsFaults),
  dns: target(dns, dnsFaults),
})

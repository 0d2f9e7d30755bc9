import dns from 'node:dns'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import { target, type Targets } from '@chaos/core'
import { failLookups } from './dns/index.js'
import { delayFileOperations, failFileOperations, hangFileOperations } from './files/index.js'
import {
  answerRequests,
  corruptResponses,
  cutResponses,
  delayRequests,
  hangRequests,
  hangResponses,
  slowResponses,
} from './http/index.js'
import { cutConnections, delayConnections, hangConnections, refuseConnections } from './net/index.js'
import { failHandshakes } from './tls/index.js'

const requests = [
  answerRequests,
  corruptResponses,
  cutResponses,
  delayRequests,
  hangRequests,
  hangResponses,
  slowResponses,
] as const

/**
 * The targets that `@chaos/control/register` offers in an app without chaos code: the Node.js modules through which the
 * app reaches files and other machines.
 */
export const targets = (): Targets => ({
  fs: target(fs, [delayFileOperations, failFileOperations, hangFileOperations]),
  fetch: target(globalThis, requests),
  http: target(http, requests),
  https: target(https, requests),
  net: target(net, [cutConnections, cutResponses, delayConnections, hangConnections, refuseConnections, slowResponses]),
  tls: target(tls, [failHandshakes]),
  dns: target(dns, [failLookups]),
})

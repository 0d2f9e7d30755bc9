import dns from 'node:dns'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import { target, type Targets } from '@chaos/core'
import { httpScopes, type HttpScopesOptions } from './http/index.js'
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

/**
 * What `@chaos/control/register` calls if it is asked for scopes: one for each request that the app gets. `CHAOS_SCOPES_ACCEPT`,
 * `CHAOS_SCOPES_TO` (origins, separated by commas), `CHAOS_SCOPES_USER`, `CHAOS_SCOPES_TENANT` and `CHAOS_SCOPES_SESSION` are
 * the options of `httpScopes`.
 */
export function scopes(env: NodeJS.ProcessEnv = process.env): Promise<unknown> {
  const given = <Name extends string>(option: Name, variable: string): Partial<Record<Name, string>> => {
    const value = env[`CHAOS_SCOPES_${variable}`] ?? ''
    return (value === '' ? {} : { [option]: value }) as Partial<Record<Name, string>>
  }
  const identify = { ...given('user', 'USER'), ...given('tenant', 'TENANT'), ...given('session', 'SESSION') }
  const { to } = given('to', 'TO')
  return httpScopes({
    ...(to !== undefined && { to: to.split(',') }),
    // `httpScopes` checks the value.
    ...(given('accept', 'ACCEPT') as Pick<HttpScopesOptions, 'accept'>),
    ...(Object.keys(identify).length > 0 && { identify }),
  })
}

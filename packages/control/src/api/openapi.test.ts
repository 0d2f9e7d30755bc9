import { Ajv2020, type AnySchema } from 'ajv/dist/2020.js'
import type { InjectionInstance, InjectionState } from '@chaos/core'
import { describe, expect, it } from 'vitest'
import { ask, mounted, testChaos, TOKEN } from '../../test/support.js'
import { connect } from '../client/connect.js'
import { openApiDocument } from './openapi.js'
import { routes } from './routes.js'

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: AnySchema }>> }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: AnySchema }>> }>
  >
}
interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, AnySchema>> }
}

const document = openApiDocument() as unknown as Document
const ajv = new Ajv2020({ strict: false, allErrors: true })

/** An independent validator's complaints. */
function complaints(schema: AnySchema | undefined, value: unknown): unknown {
  if (schema === undefined) return 'no schema'
  const validate = ajv.compile(schema)
  return validate(value) ? [] : validate.errors
}

function operationAt(method: string, path: string): Operation {
  const operation = document.paths[path]?.[method.toLowerCase()]
  if (operation === undefined) throw new Error(`${method} ${path} is not in the document`)
  return operation
}

describe('the OpenAPI document', () => {
  it('has every route, and the event stream, and nothing else', () => {
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(described.sort()).toEqual(
      [...routes.map(({ method, path }) => `${method} ${path.replace(':id', '{id}')}`), 'GET /events'].sort(),
    )
    expect(described).toMatchInlineSnapshot(`
      [
        "DELETE /injections",
        "DELETE /injections/{id}",
        "GET /audit",
        "GET /events",
        "GET /faults",
        "GET /info",
        "GET /injections",
        "GET /injections/{id}",
        "GET /openapi.json",
        "GET /targets",
        "POST /batches",
        "POST /checks",
        "POST /injections",
        "POST /injections/{id}/renewals",
        "POST /scopes",
      ]
    `)
  })

  it('names each operation once, and each variable of a path', () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods))
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const { parameters = [] } of Object.values(methods)) {
        expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`)).toEqual(
          path.match(/\{\w+\}/g) ?? [],
        )
      }
    }
    expect(operationAt('DELETE', '/injections').parameters?.map(({ name }) => name)).toEqual(['process'])
  })

  it('is what is served', async () => {
    const { url } = await mounted(testChaos().controller)
    expect((await ask(`${url}/openapi.json`)).json()).toEqual(JSON.parse(JSON.stringify(document)))
  })

  it('holds for what each route answers', async () => {
    const { url } = await mounted(testChaos().controller)
    const id = encodeURIComponent('a/b')
    const request = { target: 'bus', fault: 'drop-events', id: 'a/b', only: 'tick', seed: 3 }
    const bodies: Readonly<Partial<Record<string, object>>> = {
      check: request,
      inject: request,
      renew: { leaseMs: 1_000 },
      injectAll: { injections: [{ target: 'bus', fault: 'drop-events' }] },
      mintScope: { name: 'checkout' },
    }
    const order = [
      'getInfo',
      'listTargets',
      'listFaults',
      'check',
      'inject',
      'renew',
      'injectAll',
      'listInjections',
      'getInjection',
      'stop',
      'stopAll',
      'getAudit',
      'mintScope',
      'getOpenApi',
    ]
    expect([...order].sort()).toEqual(routes.map(({ operation }) => operation).sort())
    for (const name of order) {
      const route = routes.find(({ operation }) => operation === name) as (typeof routes)[number]
      const operation = operationAt(route.method, route.path.replace(':id', '{id}'))
      const body = bodies[name]
      if (body !== undefined)
        expect(complaints(operation.requestBody?.content['application/json']?.schema, body)).toEqual([])
      const answer = await ask(`${url}${route.path.replace(':id', id)}`, { method: route.method, body })
      expect(answer.status, name).toBe(route.status)
      const described = operation.responses[route.status]?.content?.['application/json']?.schema
      if (route.status === 204) expect([described, answer.text], name).toEqual([undefined, ''])
      else expect(complaints(described, answer.json()), name).toEqual([])
    }
  })

  it('holds for an injection that spans several processes, which a client reads whole', async () => {
    const chaos = testChaos()
    const { id } = await chaos.controller.inject('bus', 'drop-events')
    const list: InjectionInstance[] = [
      {
        id: 'i-0',
        service: 'shop',
        labels: { zone: 'eu' },
        status: 'reverted',
        why: 'x',
        hits: 3,
        evidence: [{ a: 1 }],
      },
      { id: 'i-1', status: 'refused', hits: 0, evidence: [], endedAt: 5 },
    ]
    const told = { counts: { reverted: 1, refused: 2_000 }, list }
    const injections = async (): Promise<readonly InjectionState[]> =>
      (await chaos.controller.injections()).map((state) => ({ ...state, instances: told }))
    const { url } = await mounted({ ...chaos.controller, injections })
    const schema = operationAt('GET', '/injections').responses[200]?.content?.['application/json']?.schema
    expect(complaints(schema, (await ask(`${url}/injections`)).json())).toEqual([])
    const client = await connect({ url, token: TOKEN })
    expect(await client.injections()).toMatchObject([{ id, instances: told }])
    list.push(...Array.from({ length: 999 }, () => ({ id: 'x', status: 'x', hits: 0, evidence: [] })))
    await expect(client.injections()).rejects.toMatchObject({ code: 'CHAOS_ENDPOINT_UNREACHABLE' })
    await client.close()
  })

  it('holds for what fails, and refuses a body that the server refuses', async () => {
    const { url } = await mounted(testChaos().controller)
    const schema = operationAt('POST', '/injections').requestBody?.content['application/json']?.schema
    for (const [path, body] of ['/injections', '/checks'].flatMap((path) =>
      [
        { target: 'bus' },
        { target: 'bus', fault: 'drop-events', rate: 2 },
        { target: 'bus', fault: 'drop-events', raet: 1 },
        { target: '', fault: 'drop-events' },
      ].map((body) => [path, body] as const),
    )) {
      expect(complaints(schema, body)).not.toEqual([])
      const answer = await ask(`${url}${path}`, { method: 'POST', body })
      expect(answer.status).toBe(400)
      expect(complaints(document.components.schemas['Error'], answer.json())).toEqual([])
    }
  })
})

import { Ajv2020, type AnySchema, type ValidateFunction } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { ask, type Answer } from './support.js'
import { broken, fitting, type Schema } from './schema-arbitrary.js'

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly schema: Schema
}
interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>
  readonly $ref?: string
}
interface OperationObject {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content>>
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** A request that was made from the document. */
export interface FuzzedRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** An operation of the document, with requests for it and the check of its answers. */
export interface FuzzedOperation {
  readonly id: string
  readonly requests: fc.Arbitrary<FuzzedRequest>
  /** Whether the document accepts a body. */
  readonly accepts: (body: unknown) => boolean
  /** What is wrong with an answer, if anything. */
  readonly wrong: (answer: Answer) => string | undefined
}

const PROBLEM = 'application/problem+json'

/**
 * Reads the operations out of an OpenAPI document.
 *
 * @param likely Values that make a request succeed, by the name of a field or a parameter.
 */
export function fuzzedOperations(
  document: unknown,
  likely: Readonly<Record<string, readonly unknown[]>>,
): readonly FuzzedOperation[] {
  const { paths, components } = document as Document
  const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: false })
  const compile = (schema: Schema | undefined): ValidateFunction => ajv.compile((schema ?? {}) as AnySchema)
  const isProblem = compile(components.schemas['Error'])
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, parameters = [], requestBody, responses }]) => {
      const schema = requestBody?.content?.['application/json']?.schema
      const takes = compile(schema)
      const answers = new Map(
        Object.entries(responses).flatMap(([status, { content }]) => {
          const described = content?.['application/json']?.schema
          return status === 'default'
            ? []
            : [[Number(status), described === undefined ? undefined : compile(described)]]
        }) as readonly (readonly [number, ValidateFunction | undefined])[],
      )
      return {
        id: operationId,
        accepts: (body: unknown) => takes(body),
        requests: requestsOf(method.toUpperCase(), path, parameters, schema, likely),
        wrong(answer: Answer): string | undefined {
          const { status, headers, text } = answer
          const type = headers['content-type']
          if (answers.has(status)) {
            const described = answers.get(status)
            if (described === undefined) return text === '' ? undefined : `a body for status ${status}`
            return described(answer.json()) ? undefined : ajv.errorsText(described.errors)
          }
          if (status < 400) return `status ${status}, which the document does not know`
          if (status === 404 && text === 'Not Found') return undefined
          if (type !== PROBLEM) return `type ${type}`
          if (!isProblem(answer.json())) return ajv.errorsText(isProblem.errors)
          return (answer.json() as { readonly status: number }).status === status ? undefined : 'another status within'
        },
      }
    }),
  )
}

function requestsOf(
  method: string,
  path: string,
  parameters: readonly Parameter[],
  schema: Schema | undefined,
  likely: Readonly<Record<string, readonly unknown[]>>,
): fc.Arbitrary<FuzzedRequest> {
  const valueOf = ({ name, schema: of }: Parameter): fc.Arbitrary<string> => {
    const known = likely[name]
    return fc.oneof(fitting(of), broken(of), ...(known === undefined ? [] : [fc.constantFrom(...known)])).map(asText)
  }
  const of = (place: Parameter['in'], requiredKeys: readonly string[] = []): fc.Arbitrary<Record<string, string>> => {
    const named = parameters.filter((parameter) => parameter.in === place)
    return fc.record(Object.fromEntries(named.map((one) => [one.name, valueOf(one)])), {
      requiredKeys: [...requiredKeys],
    })
  }
  const ids = parameters.filter((one) => one.in === 'path').map(({ name }) => name)
  const bodies =
    schema === undefined
      ? fc.constant(undefined)
      : fc.oneof(
          { weight: 3, arbitrary: likelier(fitting(schema), likely) },
          fitting(schema),
          likelier(broken(schema), likely),
        )
  return fc.tuple(of('path', ids), of('query'), of('header'), bodies).map(([inPath, query, headers, body]) => {
    const filled = path.replace(/\{(\w+)\}/g, (_all, name: string) => encoded(inPath[name] ?? ''))
    const search = Object.entries(query).map(([name, value]) => `${name}=${encoded(value)}`)
    return {
      method,
      path: search.length === 0 ? filled : `${filled}?${search.join('&')}`,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace(/[^ -~]/g, '')])),
      body,
    }
  })
}

/** Puts likely values into the fields of a body, also within lists, and leaves out what cannot succeed. */
function likelier(
  of: fc.Arbitrary<unknown>,
  likely: Readonly<Record<string, readonly unknown[]>>,
): fc.Arbitrary<unknown> {
  return fc.tuple(of, fc.nat()).map(([value, pick]) => {
    const better = (part: unknown): unknown => {
      if (Array.isArray(part)) return part.map(better)
      if (typeof part !== 'object' || part === null) return part
      return Object.fromEntries(
        Object.entries(part).flatMap(([name, field]) => {
          const known = likely[name]
          if (known === undefined) return [[name, better(field)]]
          return known.length === 0 ? [] : [[name, known[pick % known.length]]]
        }),
      )
    }
    return better(value)
  })
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
const encoded = (text: string): string => encodeURIComponent(text.replace(/\p{Cs}/gu, ''))

/** Sends a request that was made from the document. */
export const sendFuzzed = (
  url: string,
  { method, path, headers, body }: FuzzedRequest,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> =>
  ask(`${url}${path}`, {
    method,
    headers: { ...headers, ...more },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

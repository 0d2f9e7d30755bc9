import { toJsonSchema } from '@valibot/to-json-schema'
import type { GenericSchema } from 'valibot'
import { type JsonSchema } from '@chaos/core'
import { jsonSchemaOf, type OptionsSchema } from '@chaos/core/authoring'
import { routes, type Route } from './routes.js'
import { errorBodySchema, eventMessageSchema } from './schemas.js'

/** An OpenAPI document, as JSON. */
export type OpenApiDocument = JsonSchema

let made: OpenApiDocument | undefined

/**
 * The OpenAPI 3.1 document of the control API, made from the table of its routes. It is also served, at `openapi.json`.
 */
export function openApiDocument(): OpenApiDocument {
  return (made ??= {
    openapi: '3.1.0',
    info: {
      title: 'Chaos Harness control API',
      version: '1.0.0',
      description:
        'List what can be broken in a running process, break it, stop it, and follow what happens. Every fault ends by itself: by its lease, or with the event stream that holds it.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '.', description: 'Where this document was found.' }],
    security: [{ bearer: [] }, {}],
    paths: { ...pathsOf(routes), '/events': { get: events } },
    components: {
      schemas: { Error: schemaOf(errorBodySchema), EventMessage: schemaOf(eventMessageSchema) },
      responses: {
        Error: {
          description: 'What was expected and what came.',
          content: json({ $ref: '#/components/schemas/Error' }),
        },
      },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description:
            'Where the API is mounted in the server of an app. On a Unix socket there is no token: the directory is private.',
        },
      },
    },
  })
}

const events = {
  operationId: 'followEvents',
  summary:
    'A WebSocket. The server sends a hello, then every journal entry, each as one JSON text (`EventMessage`). It takes nothing.',
  description:
    'The hello carries the unguessable id of this stream; an injection posted with it as `connection` ends when the stream does. Hits may be dropped under back-pressure (`dropped` says how many), entries of the life cycle never. ' +
    'A browser, which cannot send an Authorization header here, offers the subprotocols `chaos.v1` and `chaos.token.` followed by the token in base64url.',
  responses: { 101: { description: 'The stream is open.' }, default: { $ref: '#/components/responses/Error' } },
}

function pathsOf(table: readonly Route[]): Record<string, Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of table) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) }
  }
  return paths
}

function operationOf({ path, operation, summary, query, body, status, response }: Route): Record<string, unknown> {
  const parameters = [
    ...(path.includes(':id') ? [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }] : []),
    ...parametersOf(query),
  ]
  return {
    operationId: operation,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: json(jsonSchemaOf(body)) } }),
    responses: {
      [status]: { description: 'Done.', ...(response === undefined ? {} : { content: json(schemaOf(response)) }) },
      default: { $ref: '#/components/responses/Error' },
    },
  }
}

function parametersOf(query: OptionsSchema): readonly unknown[] {
  const properties = (jsonSchemaOf(query)['properties'] ?? {}) as Readonly<
    Record<string, Readonly<Record<string, unknown>>>
  >
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: false,
    description,
    schema,
  }))
}

function schemaOf(schema: GenericSchema): JsonSchema {
  const { $schema: _dialect, ...described } = toJsonSchema(schema, { typeMode: 'input' }) as Record<string, unknown>
  return described
}

const json = (schema: JsonSchema): Record<string, unknown> => ({ 'application/json': { schema } })

import { toJsonSchema } from '@valibot/to-json-schema'
import type { GenericSchema } from 'valibot'
import { type JsonSchema } from '@chaos/core'
import { jsonSchemaOf, type OptionsSchema } from '@chaos/core/authoring'
import type { Route } from './route.js'
import { routes } from './routes.js'
import { errorBodySchema, eventMessageSchema } from './schemas.js'

/** An OpenAPI document, as JSON. */
export type OpenApiDocument = JsonSchema

let made: OpenApiDocument | undefined

/**
 * Returns the OpenAPI 3.1 document of the control API, generated from the route table. The endpoint also serves it at
 * `openapi.json`.
 */
export function openApiDocument(): OpenApiDocument {
  return (made ??= {
    openapi: '3.1.0',
    info: {
      title: 'Chaos Harness control API',
      version: '1.0.0',
      description:
        'Lists the targets and faults of a running process, injects and stops faults, and streams events. Every fault ends by itself: when its lease ends, or when the event stream that holds it closes.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '.', description: 'The base path that serves this document.' }],
    security: [{ bearer: [] }, {}],
    paths: { ...pathsOf(routes), '/events': { get: events } },
    components: {
      schemas: { Error: schemaOf(errorBodySchema), EventMessage: schemaOf(eventMessageSchema) },
      responses: {
        Error: {
          description: 'A problem (RFC 9457), with the code and the message of the error.',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
      },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description:
            'Required if the API is mounted in an app server. A Unix socket needs no token: its directory is private.',
        },
      },
    },
  })
}

const events = {
  operationId: 'followEvents',
  summary:
    'A WebSocket, or server-sent events with `Accept: text/event-stream`. The server sends a hello, then every journal entry, each as one JSON text (`EventMessage`). It accepts no messages.',
  description:
    'The hello contains the unguessable id of this stream. An injection posted with this id as `connection` ends when the stream does. Under back-pressure, hits may be dropped (`dropped` has their number); life-cycle entries are never dropped. ' +
    'A browser cannot send an Authorization header with a WebSocket. It offers the subprotocols `chaos.v1` and `chaos.token.` followed by the token in base64url.',
  parameters: [
    {
      name: 'Last-Event-ID',
      in: 'header',
      required: false,
      description:
        'The id of the last server-sent event that the client has. The stream goes on after it; the hello says how many messages are lost.',
      schema: { type: 'string' },
    },
  ],
  responses: {
    101: { description: 'The WebSocket is open.' },
    200: {
      description: 'The stream of server-sent events. The data of each is one `EventMessage`.',
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    },
    default: { $ref: '#/components/responses/Error' },
  },
}

function pathsOf(table: readonly Route[]): Record<string, Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of table) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) }
  }
  return paths
}

function operationOf({
  path,
  operation,
  summary,
  query,
  body,
  status,
  response,
  takesKey = false,
}: Route): Record<string, unknown> {
  const parameters = [
    ...(path.includes(':id') ? [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }] : []),
    ...parametersOf(query),
    ...(takesKey ? [idempotencyKey] : []),
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

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'Makes it safe to send the request again: the same key with the same body has the same answer for 10 minutes, and nothing is done twice.',
  schema: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[!-~]+$' },
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

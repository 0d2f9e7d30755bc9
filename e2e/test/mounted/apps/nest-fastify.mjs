import { mountEndpoint } from '@chaos/control'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { App } from './nest-module.mjs'
import { announce, chaos, port, tellWebSockets, token } from './scores.mjs'

const app = await NestFactory.create(App, new FastifyAdapter(), { logger: false, cors: true })
await app.listen(port, '127.0.0.1')
mountEndpoint(app.getHttpServer(), chaos, { token })

tellWebSockets(app.getHttpServer())
announce(app.getHttpServer(), () => app.close())

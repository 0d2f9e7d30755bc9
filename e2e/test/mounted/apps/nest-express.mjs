import { mountEndpoint } from '@chaos/control'
import { NestFactory } from '@nestjs/core'
import compression from 'compression'
import helmet from 'helmet'
import { App } from './nest-module.mjs'
import { announce, chaos, port, tellWebSockets, token } from './scores.mjs'

const app = await NestFactory.create(App, { logger: false, cors: true })
app.use(helmet(), compression({ threshold: 0 }))
mountEndpoint(app.getHttpServer(), chaos, { token })

tellWebSockets(app.getHttpServer())
await app.listen(port, '127.0.0.1')
announce(app.getHttpServer(), () => app.close())

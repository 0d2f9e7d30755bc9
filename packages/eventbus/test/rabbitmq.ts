import net from 'node:net'

const { hostname, port } = new URL(process.env['CHAOS_RABBITMQ_URL'] ?? 'amqp://127.0.0.1:5672')

/** Where RabbitMQ is: one of the tests' own takes too long to start, and so they use names of their own on a running one. */
export const RABBITMQ_URL = `amqp://${hostname}:${port === '' ? '5672' : port}`

const isListening = await new Promise<boolean>((resolve) => {
  const socket = net
    .connect(Number(new URL(RABBITMQ_URL).port), hostname, () => resolve(true))
    .on('error', () => resolve(false))
  socket.on('connect', () => socket.destroy())
})

/** Whether a suite that needs RabbitMQ runs. With CHAOS_REQUIRE_SERVICES=all it runs, and fails without it. */
export const hasRabbitMq = process.env['CHAOS_REQUIRE_SERVICES'] === 'all' || isListening

import { ownServer, started, type Command, type OwnServer } from './own-server.js'
import { required } from './programs.js'

const command = (port: number, folder: string, options: readonly string[]): Command => ({
  program: required('redis-server'),
  args: ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', '', ...options],
  // It listens, and may still load its data: it says so to who asks.
  ready: 'Server initialized',
})

/** Starts a Redis server, with its command line's options. */
export const ownRedis = (...options: readonly string[]): Promise<OwnServer> =>
  ownServer((port, folder) => command(port, folder, options))

/** The same Redis again: on the port and in the folder of one that has ended. */
export const redisAgain = ({ port, folder }: OwnServer, ...options: readonly string[]): Promise<OwnServer> =>
  started(port, folder, command(port, folder, options))

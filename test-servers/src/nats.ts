import { ownServer, type OwnServer } from './own-server.js'
import { required } from './programs.js'

/** Starts a NATS server; with JetStream, it keeps its streams in its own folder. */
export const ownNats = (): Promise<OwnServer> =>
  ownServer((port, folder) => ({
    program: required('nats-server'),
    args: ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder],
    ready: 'Server is ready',
  }))

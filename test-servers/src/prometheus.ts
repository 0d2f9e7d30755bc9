import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownServer, type OwnServer } from './own-server.js'
import { required } from './programs.js'

/** Starts a Prometheus that answers queries, with this configuration; what it needs of alert rules is a file of its own. */
export const ownPrometheus = (config: object): Promise<OwnServer> =>
  ownServer((port, folder) => {
    const file = join(folder, 'prometheus.yml')
    writeFileSync(file, JSON.stringify(config))
    return {
      program: required('prometheus'),
      args: [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(folder, 'tsdb')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      ready: 'Server is ready to receive web requests',
    }
  })

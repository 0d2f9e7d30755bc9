import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownServer, type OwnServer } from './own-server.js'
import { required } from './programs.js'

/** Starts an Alertmanager of its own, no member of a cluster, with this configuration. Its program is named as Debian names it. */
export const ownAlertmanager = (config: object): Promise<OwnServer> =>
  ownServer((port, folder) => {
    const file = join(folder, 'alertmanager.yml')
    writeFileSync(file, JSON.stringify(config))
    return {
      program: required('prometheus-alertmanager'),
      args: [
        `--config.file=${file}`,
        `--storage.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--cluster.listen-address=',
      ],
      ready: 'Listening on',
    }
  })

import { join } from 'node:path'
import { freshData } from './fresh-data.js'
import { ownServer, type OwnServer } from './own-server.js'
import { required, run } from './programs.js'

/** The smallest log: with the default, copying the data of a server would be most of the work of starting it. */
const LOG = '--innodb-log-file-size=4M'

/** Starts a MariaDB server where `root` needs no password. */
export const ownMariaDb = (...options: readonly string[]): Promise<OwnServer> =>
  ownServer((port, folder) => {
    const user = process.getuid?.() === 0 ? ['--user=root'] : []
    const data = join(folder, 'data')
    freshData('mariadb-install-db', data, () =>
      run(required('mariadb-install-db'), [
        '--no-defaults',
        ...user,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
        LOG,
        `--datadir=${data}`,
      ]),
    )
    return {
      program: required('mariadbd'),
      args: [
        '--no-defaults',
        ...user,
        LOG,
        `--datadir=${data}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        `--socket=${join(folder, 'socket')}`,
        ...options,
      ],
      ready: 'ready for connections',
    }
  })

import { execFileSync } from 'node:child_process'
import { chownSync } from 'node:fs'
import { join } from 'node:path'
import { freshData } from './fresh-data.js'
import { ownServer, type OwnServer } from './own-server.js'
import { required, run } from './programs.js'

/** Starts a PostgreSQL server where everyone may be `root`. It refuses to run as root, so root runs it as the user `postgres`. */
export async function ownPostgres(...settings: readonly string[]): Promise<OwnServer> {
  const user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {}
  return ownServer((port, folder) => {
    if (user.uid !== undefined) chownSync(folder, user.uid, user.gid)
    const data = join(folder, 'data')
    freshData('initdb', data, () =>
      run(required('initdb'), ['-D', data, '--no-sync', '-A', 'trust', '-U', 'root', '--wal-segsize=1'], {
        cwd: folder,
        ...user,
      }),
    )
    const flags = [
      'listen_addresses=127.0.0.1',
      `port=${port}`,
      'unix_socket_directories=',
      'max_wal_senders=0',
      'superuser_reserved_connections=0',
      ...settings,
    ].flatMap((setting) => ['-c', setting])
    return {
      program: required('postgres'),
      args: ['-D', data, '-F', ...flags],
      options: { cwd: folder, ...user },
      ready: 'ready to accept connections',
      endedBy: 'SIGQUIT',
    }
  })
}

const idOf = (flag: '-u' | '-g'): number => Number(execFileSync('id', [flag, 'postgres']))

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownServer, type OwnServer } from './own-server.js'
import { required } from './programs.js'

/** Starts an MQTT server. Its listener is named: with a port alone it also listens on `::1`, and runs with that when 127.0.0.1 is taken. */
export const ownMosquitto = (): Promise<OwnServer> =>
  ownServer((port, folder) => {
    const file = join(folder, 'mosquitto.conf')
    writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\n`)
    return { program: required('mosquitto'), args: ['-c', file], ready: ' running\n' }
  })

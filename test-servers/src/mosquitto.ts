import { ownServer, type OwnServer } from './own-server.js'
import { required } from './programs.js'

/** Starts an MQTT server. */
export const ownMosquitto = (): Promise<OwnServer> => ownServer((port) => ({ program: required('mosquitto'), args: ['-p', String(port)] }))

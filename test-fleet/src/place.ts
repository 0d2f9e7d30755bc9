import { spawnSync } from 'node:child_process'
import { muteRelay } from '@chaos/test-servers'
import type { Prefix } from './program.js'

/** Where processes run that can be cut off from a Redis without its noticing: no connection is closed. */
export interface Place {
  /**
   * `namespace`: a network namespace of Linux, whose only link goes down. `relay`: a TCP relay that swallows what both sides
   * send, where this process may not make namespaces.
   */
  readonly kind: 'namespace' | 'relay'
  /** The address on which the Redis must listen for it. */
  readonly address: string | undefined
  /** What is in front of the commands that run there. */
  readonly prefix: Prefix
  /** Where the Redis with this port is, seen from there. To be asked once. */
  reach(port: number): Promise<{ readonly host: string; readonly port: number }>
  cut(): void
  heal(): void
  stop(): void
}

let made = 0

/** Makes a place: a namespace where that is possible, else a relay. */
export function makePlace(): Place {
  made += 1
  // Of 10.213.0.0/16, four addresses of its own; places of other processes have other ones.
  const block = (process.pid * 8 + (made % 8)) % 16_384
  const subnet = `10.213.${block >> 6}.${(block & 63) * 4}`.split('.')
  const [near, far] = [1, 2].map((host) => [...subnet.slice(0, 3), Number(subnet[3]) + host].join('.'))
  const [name, link] = [`chaos-${process.pid}-${made}`, `ch${process.pid}x${made}`]
  const isMade = [
    ['netns', 'add', name],
    ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name],
    ['addr', 'add', `${near}/30`, 'dev', link],
    ['link', 'set', link, 'up'],
    ['-n', name, 'addr', 'add', `${far}/30`, 'dev', 'eth0'],
    ['-n', name, 'link', 'set', 'eth0', 'up'],
    ['-n', name, 'link', 'set', 'lo', 'up'],
  ].every(ip)
  const remove = (): void => {
    process.off('exit', remove)
    ip(['netns', 'del', name])
    ip(['link', 'del', link])
  }
  if (!isMade || near === undefined) {
    remove()
    return relayPlace()
  }
  process.once('exit', remove)
  return {
    kind: 'namespace',
    address: near,
    prefix: ['ip', 'netns', 'exec', name],
    reach: (port) => Promise.resolve({ host: near, port }),
    cut: () => void ip(['link', 'set', link, 'down']),
    heal: () => void ip(['link', 'set', link, 'up']),
    stop: remove,
  }
}

/** Whether `ip` has done it. */
function ip(args: readonly string[]): boolean {
  return spawnSync('ip', args, { stdio: 'ignore' }).status === 0
}

function relayPlace(): Place {
  let relay: Awaited<ReturnType<typeof muteRelay>> | undefined
  const mute = (isMute: boolean): void => {
    if (relay !== undefined) relay.isMute = relay.isDeaf = isMute
  }
  return {
    kind: 'relay',
    address: undefined,
    prefix: [],
    async reach(port) {
      relay = await muteRelay(port)
      return { host: '127.0.0.1', port: relay.port }
    },
    cut: () => mute(true),
    heal() {
      mute(false)
      // What was swallowed is lost, which no answer would ever say.
      relay?.cut()
    },
    stop: () => relay?.stop(),
  }
}

import { ChaosError } from '@chaos/core'
import { builtin, exempt } from '@chaos/core/authoring'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import importedThreads, { type Worker } from 'node:worker_threads'
import { liveOption, noData } from './no-data.js'
import { ThreadChannel, type ChannelSettings } from './thread-channel.js'
import type { ThreadData } from './thread-proxy.js'

const threads = builtin('node:worker_threads', importedThreads)

/** Starts the thread of a proxy. */
export function startThread({
  options,
  ...settings
}: Pick<ChannelSettings, 'name' | 'onReport' | 'onLost'> & { readonly options: object }): ThreadChannel {
  const { port1: port, port2: theirs } = new threads.MessageChannel()
  const said = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const data: ThreadData = { port: theirs, said, options: { ...options } }
  // A fault on the workers of the application is not for the tool that injects it.
  const thread = exempt(start(data))
  return new ThreadChannel({ ...settings, thread, port, said })
}

function start(data: ThreadData): Worker {
  const file = fileOfThread()
  try {
    return new threads.Worker(file, {
      workerData: data,
      transferList: [data.port],
      name: 'chaos-proxy',
      // The switch `CHAOS_DISABLED` is for both threads. What the flags of the application preload is for its own.
      env: threads.SHARE_ENV,
      execArgv: [],
    })
  } catch (error) {
    const option = liveOption(data.options)
    throw option === undefined ? error : noData(`The option \`${option}\` of createProxy`, error)
  }
}

/** Finds the file by the name of the package, so that it is found by bundled code too, where the package is installed. */
function fileOfThread(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('@chaos/proxy/package.json')), 'dist', 'thread.js')
  } catch (error) {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      'The worker thread of a proxy is a file of @chaos/proxy, which is not installed here. Install the package beside the bundle, or make the proxy without `worker`.',
      { cause: error },
    )
  }
}

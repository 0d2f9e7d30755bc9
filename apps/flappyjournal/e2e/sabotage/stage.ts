import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { parse, stringify } from 'yaml'
import { appFolder } from '../../src/config.js'
import { startListening, type Listening } from './listening.js'
import { momentsOf, type Moment, type Moments } from './moments.js'
import { forwarder, httpProxy, socketProxy, type Between, type SocketProxy } from './proxies.js'
import type { Sabotage } from './sabotage.js'

interface AppAddress {
  readonly url: string
  readonly alertsUrl: string
}

/** How `chaos run` ended. */
export interface Ran {
  readonly code: number | null
  readonly output: string
  /** Where its reports are. */
  readonly reports: string
}

/** An experiment as it is written. */
type Written = Record<string, unknown> & { steadyState: { mayBreach?: string[]; probes: Record<string, unknown>[] } }

/** One run's own app, load and command, and what stands between them. */
export interface Stage {
  /** Its own folder. */
  readonly folder: string
  /** Environment of the app. */
  readonly appEnv: NodeJS.ProcessEnv
  readonly appArgs: string[]
  readonly loadEnv: NodeJS.ProcessEnv
  /** More arguments of `chaos run`. */
  readonly cliArgs: string[]
  /** The program and its arguments that stand before `node` in the command, such as a shell that sets limits. */
  readonly cliPrefix: string[]
  /** Where the command looks, by the names of the experiments' variables. */
  readonly variables: Record<string, string>
  /** Whether alerts are read at all. */
  readsAlerts: boolean
  readonly moments: Moments
  /** When the app's own controller saw the fault land and end, by this process' clock, in ms since the epoch. */
  readonly seenAt: Partial<Record<Moment, number>>
  readonly app: Listening<AppAddress>
  readonly load: Listening<{ readonly url: string }>
  /** Changes the experiment. */
  readonly alter: (change: (experiment: Written) => void) => void
  /** Stands between the command and one of the addresses it asks. */
  readonly between: (variable: 'APP_URL' | 'ALERTS_URL' | 'LOAD_URL', between: Between) => Promise<void>
  /** Stands between the command and the control socket. */
  readonly betweenControl: () => Promise<SocketProxy>
  /** An address for notifications; what is posted there reaches the command, unless it is dead. */
  readonly webhook: () => Promise<{ readonly url: string; isDead: boolean }>
  /** Keeps processors busy until the end of the run. */
  readonly hog: (processes: number) => void
  /** Undone at the end. */
  readonly defer: (undo: () => unknown) => void
  /** Ends the app and starts it anew at the same address. */
  readonly restartApp: () => Promise<void>
  /** Runs `chaos run`; several times, if need be. */
  readonly chaosRun: (onMoment?: (moment: Moment, child: ChildProcess) => void) => Promise<Ran>
}

const SECRET = 'a secret of at least thirty-two characters'
/** How long the load runs before the command starts, in ms. */
const WARM_UP_MS = 2_000
/** The longest run, in ms. */
const MAX_RUN_MS = 240_000

/** Sets a stage for a sabotage, lets `play` use it, and clears it away. */
export async function onStage<T>(
  sabotage: Pick<Sabotage, 'experiment' | 'inApp' | 'prepare' | 'act'>,
  folder: string,
  play: (stage: Stage) => Promise<T>,
): Promise<T> {
  const undo: (() => unknown)[] = []
  const source = new EventEmitter()
  const seenAt: Stage['seenAt'] = {}
  const sockets = join(folder, 's')
  const changes: ((experiment: Written) => void)[] = []
  let app: Listening<AppAddress> | undefined
  let load: Listening<{ readonly url: string }> | undefined
  let hook: Awaited<ReturnType<typeof forwarder>> | undefined
  let runs = 0

  const running = <P>(process: P | undefined): P => {
    if (process === undefined) throw new Error('It does not run yet.')
    return process
  }
  const stage: Stage = {
    folder,
    appEnv: {
      NODE_ENV: 'development',
      CHAOS: 'on',
      FLAPPY_WINDOWS: 'demo',
      PORT: '0',
      JWT_SECRET: SECRET,
      LEVEL_PATH: join(folder, 'level'),
      CHAOS_SOCKET_DIR: sockets,
      SABOTAGE: sabotage.inApp ?? '',
    },
    appArgs: [],
    loadEnv: { LOAD_SECRET: SECRET },
    cliArgs: [],
    cliPrefix: [],
    variables: {},
    readsAlerts: true,
    moments: momentsOf(source),
    seenAt,
    get app() {
      return running(app)
    },
    get load() {
      return running(load)
    },
    alter: (change) => void changes.push(change),
    async between(variable, between) {
      const behind = (): string =>
        ({
          APP_URL: running(app).address.url,
          ALERTS_URL: running(app).address.alertsUrl,
          LOAD_URL: running(load).address.url,
        })[variable]
      const proxy = await httpProxy(behind, between)
      undo.push(() => proxy.close())
      stage.variables[variable] = proxy.url
    },
    async betweenControl() {
      const [socket] = (await readdir(sockets)).filter((name) => name.endsWith('.sock'))
      const proxy = await socketProxy(join(sockets, socket ?? ''), join(folder, 'control.sock'))
      undo.push(() => proxy.close())
      stage.cliArgs.push('--socket', proxy.path)
      return proxy
    },
    async webhook() {
      const made = await forwarder()
      hook = made
      undo.push(() => made.close())
      stage.cliArgs.push('--webhook')
      return hook
    },
    hog(processes) {
      for (let n = 0; n < processes; n += 1) {
        const child = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })
        const end = (): void => void child.kill('SIGKILL')
        process.once('exit', end)
        undo.push(() => {
          process.off('exit', end)
          end()
        })
      }
    },
    defer: (step) => void undo.push(step),
    async restartApp() {
      const { url } = running(app).address
      running(app).child.kill('SIGKILL')
      await running(app).stop()
      stage.appEnv['PORT'] = new URL(url).port
      app = await startApp()
    },
    async chaosRun(onMoment) {
      runs += 1
      const reports = join(folder, `reports-${runs}`)
      const file = join(folder, `${sabotage.experiment}.yaml`)
      const experiment = parse(
        await readFile(join(appFolder, 'experiments', `${sabotage.experiment}.yaml`), 'utf8'),
      ) as Written
      for (const change of changes) change(experiment)
      await writeFile(file, stringify(experiment))
      const variables = {
        APP_URL: running(app).address.url,
        ALERTS_URL: running(app).address.alertsUrl,
        LOAD_URL: running(load).address.url,
        ...stage.variables,
      }
      const args = [
        'run',
        file,
        '--report',
        reports,
        ...(stage.readsAlerts ? ['--alerts-url', variables.ALERTS_URL] : []),
        ...stage.cliArgs,
        ...Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}=${value}`]),
      ]
      if (!args.includes('--socket')) args.push('--name', 'flappyjournal')
      const bin = join(createRequire(import.meta.url).resolve('@chaos/cli/package.json'), '..', 'dist', 'bin.js')
      const [program = '', ...rest] = [...stage.cliPrefix, process.execPath, bin, ...args]
      const child = spawn(program, rest, {
        env: { ...process.env, CHAOS_SOCKET_DIR: sockets, NO_COLOR: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const patience = setTimeout(() => child.kill('SIGKILL'), MAX_RUN_MS)
      const killWithUs = (): void => void child.kill('SIGKILL')
      process.once('exit', killWithUs)
      let output = ''
      let hasBegun = false
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += stripVTControlCharacters(text)
          const to = /notifications are expected at (\S+)/.exec(output)?.[1]
          if (hook !== undefined && to !== undefined) hook.to = to
          if (hasBegun || !/^ *[\d.]+ s +method:/m.test(output)) return
          hasBegun = true
          happened('method')
        })
      }
      const tell = onMoment === undefined ? undefined : (moment: Moment) => onMoment(moment, child)
      if (tell !== undefined) listeners.add(tell)
      const [code] = (await once(child, 'close')) as [number | null]
      if (tell !== undefined) listeners.delete(tell)
      clearTimeout(patience)
      process.off('exit', killWithUs)
      return { code, output, reports }
    },
  }

  const listeners = new Set<(moment: Moment) => void>()
  function happened(moment: Moment): void {
    seenAt[moment] ??= Date.now()
    source.emit(moment)
    if (moment === 'method' && app?.child.connected === true) app.child.send('method')
    for (const listener of listeners) listener(moment)
  }

  async function startApp(): Promise<Listening<AppAddress>> {
    const started = await startListening<AppAddress>('sabotaged.js', { env: stage.appEnv, nodeArgs: stage.appArgs })
    started.child.on('message', ({ moment }: { readonly moment: Moment }) => happened(moment))
    return started
  }

  try {
    await sabotage.prepare?.(stage)
    app = await startApp()
    load = await startListening('load-process.js', { env: { LOAD_TARGET: app.address.url, ...stage.loadEnv } })
    await pause(WARM_UP_MS)
    await sabotage.act?.(stage)
    return await play(stage)
  } finally {
    for (const step of undo.reverse()) await step()
    await load?.stop()
    await app?.stop()
  }
}

/** The file that moves a process' clock when it is preloaded. */
export const CLOCK = join(appFolder, 'e2e/clock.cjs')

import {
  ChaosError,
  isChaosError,
  type Clock,
  type ConnectedController,
  type InjectionState,
  type PortableInjectOptions,
} from '@chaos/core'

/** What a search needs of a connection to an app. The client of a control endpoint has it. */
export interface LiveConnection extends Pick<
  ConnectedController,
  'info' | 'targets' | 'faults' | 'check' | 'injections' | 'stop' | 'follow' | 'closed' | 'close'
> {
  inject(
    target: string,
    fault: string,
    options: Readonly<Record<string, unknown>>,
    how: PortableInjectOptions & { readonly hold: 'connection' },
  ): Promise<InjectionState>
}

/** The app, which may end and be started again between two runs. */
export interface LiveApp {
  /**
   * Returns the connection. If it has ended, waits until the app can be reached again.
   *
   * @throws ChaosError `CHAOS_ENDPOINT_UNREACHABLE` if it cannot within the time, and any other error of connecting.
   */
  readonly connection: () => Promise<LiveConnection>
  readonly close: () => Promise<void>
}

/** The time between two attempts to connect, in ms. */
const PAUSE_MS = 200
const GONE = ['CHAOS_ENDPOINT_UNREACHABLE', 'CHAOS_NO_PROCESS'] as const

/** Opens the app, and again after it has ended. */
export function openApp(
  connect: () => Promise<LiveConnection>,
  { restartMs, clock, signal }: { readonly restartMs: number; readonly clock: Clock; readonly signal: AbortSignal },
): LiveApp {
  let current: LiveConnection | undefined
  let isFirst = true

  const attempt = async (): Promise<LiveConnection> => {
    const endsAt = clock.now() + restartMs
    for (;;) {
      try {
        return await connect()
      } catch (error) {
        const isGone = GONE.some((code) => isChaosError(error, code))
        if (isFirst || !isGone) throw error
        if (signal.aborted || clock.now() >= endsAt)
          throw new ChaosError(
            'CHAOS_ENDPOINT_UNREACHABLE',
            `The app ended under faults, and could not be reached again within ${restartMs} ms. Run it under a supervisor that starts it again.`,
            { cause: error },
          )
        await new Promise<void>((resolve) => void clock.after(PAUSE_MS, resolve))
      }
    }
  }

  return {
    async connection() {
      if (current !== undefined) return current
      const made = await attempt()
      isFirst = false
      current = made
      void made.closed.then(() => {
        if (current === made) current = undefined
      })
      return made
    },
    async close() {
      await current?.close()
    },
  }
}

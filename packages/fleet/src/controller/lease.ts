import type { Clock } from '@chaos/core'
import type { ControllerTransport, OwnedRun, Phase, Renewal } from '../transports/transport.js'

/** Why a controller no longer holds a run. */
export type LossReason = Exclude<Renewal, 'renewed'> | 'fenced'

/** The lease of a run, as its controller keeps it. */
export interface RunLease {
  /**
   * Puts the run in the phase `active`, and keeps it there.
   *
   * @returns Whether the engine has confirmed it. `false`: the lease is over.
   */
  activate(): Promise<boolean>
  /** Stops renewing. */
  end(): void
}

/** How many renewals fit into a lease. */
const RENEWALS_PER_LEASE = 5

/** The pause between two renewals, and between two looks at the answers of the agents, in ms. */
export const beatMs = (leaseMs: number): number => leaseMs / RENEWALS_PER_LEASE

/**
 * Renews the lease of a run five times per lease, until it ends or is lost.
 *
 * A run that the engine does not know any more, that was halted, or whose window has closed, is lost at once and for good. An engine that does not
 * answer may still hold it: the lease is then lost when no renewal that was *sent* within the last `leaseMs` has succeeded. A
 * timer decides that, whether or not a call is still waiting for its answer.
 *
 * @param openedAt When the run was opened, which counts as the first renewal: the time before the call.
 */
export function keepLease({
  transport,
  run,
  leaseMs,
  clock,
  openedAt,
  onLoss,
}: {
  readonly transport: Pick<ControllerTransport, 'renew'>
  readonly run: OwnedRun
  readonly leaseMs: number
  readonly clock: Clock
  readonly openedAt: number
  readonly onLoss: (reason: LossReason) => void
}): RunLease {
  let phase: Phase = 'prepare'
  let isOver = false
  let underWay: Promise<boolean> | undefined
  let cancelFence = (): void => undefined
  let cancelBeat = (): void => undefined
  let sayOver: (isActive: false) => void = () => undefined
  const over = new Promise<false>((resolve) => (sayOver = resolve))

  function end(): void {
    isOver = true
    cancelFence()
    cancelBeat()
    sayOver(false)
  }
  function lose(reason: LossReason): void {
    if (isOver) return
    end()
    onLoss(reason)
  }
  function fence(sentAt: number): void {
    cancelFence()
    cancelFence = clock.after(Math.max(0, sentAt + leaseMs - clock.now()), () => lose('fenced'))
  }

  /** @returns whether the engine has renewed the run in the phase that was asked for */
  async function send(): Promise<boolean> {
    const sentAt = clock.now()
    const asked = phase
    try {
      const answer = await transport.renew(run, leaseMs, asked)
      if (isOver) return false
      if (answer !== 'renewed') {
        lose(answer)
        return false
      }
    } catch {
      // Nobody knows whether it has arrived. If none arrives, the fence ends the lease.
      return false
    }
    fence(sentAt)
    return true
  }
  /** One call at a time: a late answer to an earlier one cannot put a run back into an earlier phase. */
  function renew(): Promise<boolean> {
    underWay ??= send().finally(() => (underWay = undefined))
    return underWay
  }
  function beat(): void {
    cancelBeat = clock.after(beatMs(leaseMs), () => {
      void renew()
      beat()
    })
  }

  fence(openedAt)
  beat()
  return {
    end,
    activate() {
      const activated = async (): Promise<boolean> => {
        await underWay
        phase = 'active'
        while (!isOver) {
          if (await renew()) return true
          await new Promise<void>((resolve) => void clock.after(beatMs(leaseMs), resolve))
        }
        return false
      }
      return Promise.race([activated(), over])
    },
  }
}

import type { Address, ControlClient, LocalProcess } from '@chaos/control'

/** The environment of the command. Tests pass their own. */
export interface Io {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Whether output goes to a terminal, which enables colour. */
  readonly isTerminal: boolean
  readonly env: NodeJS.ProcessEnv
  /** Aborts when the user interrupts the command. */
  readonly signal: AbortSignal
  readonly discover: () => Promise<readonly LocalProcess[]>
  readonly connect: (address: Address) => Promise<ControlClient>
}

import { startProgram, type Prefix, type Program } from './program.js'
import type { AgentCounts, AgentNews, AgentsConfig, Survey, Watch } from './programs/agents-protocol.js'
import type { WrittenTimeline } from './timeline.js'

/** A process with agents. */
export interface AgentProcess extends Omit<Program, 'call'> {
  /** The ids of its instances. */
  readonly ids: readonly string[]
  survey(): Promise<Survey>
  counts(): Promise<AgentCounts>
  /** What the agents have told the application: the last 1,000 lines, with what nobody has handled. */
  lines(): Promise<readonly string[]>
  /** Moves the wall clock of its agents. */
  skewWallClock(byMs: number): Promise<void>
  /** Resolves when each agent has begun a read from now on, and got its answer. */
  readAgain(): Promise<void>
  watch(): Promise<Watch>
  /** Ends the agents, not the process. */
  leave(): Promise<void>
}

/** Starts a process with agents. Resolves when each has read once and waits for calls. */
export async function startAgentProcess(
  events: WrittenTimeline,
  config: AgentsConfig,
  prefix: Prefix = [],
): Promise<AgentProcess> {
  const program = startProgram('agents', { prefix, onNews: (news: readonly AgentNews[]) => events.add(news) })
  const ids = await program.call<readonly string[]>('join', config)
  void program.ended.then(() => events.gone(ids))
  return {
    ...program,
    ids,
    survey: () => program.call('survey'),
    counts: () => program.call('counts'),
    lines: () => program.call('lines'),
    skewWallClock: (byMs) => program.call('skewWallClock', byMs),
    readAgain: () => program.call('readAgain'),
    watch: () => program.call('watch'),
    leave: () => program.call('leave'),
  }
}

/** What an agent says of a run in its log. */
export type AgentEvent = { readonly runId: string; /** The wall clock of the agent, in ms. */ readonly at: number } & (
  | { readonly type: 'applied' }
  | { readonly type: 'reverted'; readonly why: string; readonly hits: number }
)

/** Reads what the agent of a server says in a line of its output, or `undefined`: it says something else. */
export function agentEventIn(line: string): AgentEvent | undefined {
  if (!line.startsWith('{"event":"fleet"')) return undefined
  const { line: said, at } = JSON.parse(line) as { readonly line: string; readonly at: string }
  const [, applied] = /^The fault .* is in force .*\(run ([\w-]+),/.exec(said) ?? []
  if (applied !== undefined) return { type: 'applied', runId: applied, at: Date.parse(at) }
  const [, runId, why, hits] = /^The fault of the run ([\w-]+) has ended \((.*?)\) after (\d+) hits/.exec(said) ?? []
  if (runId === undefined || why === undefined) return undefined
  return { type: 'reverted', runId, why, hits: Number(hits), at: Date.parse(at) }
}

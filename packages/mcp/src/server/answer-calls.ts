import { errorInfo } from '@chaos/control'
import { ChaosError, isChaosError } from '@chaos/core'
import { messageOf, printableJson, redacted } from '@chaos/core/authoring'
import type { AuditEntry } from '../audit/audit-log.js'
import { bounded } from '../shared/bounded.js'
import { OUTSIDE, type Answer, type Session, type Tool } from '../tools/tool.js'

/** The most calls at once, besides those that stop faults. */
const MAX_CALLS = 16
/** The longest text of an answer, in characters. The structured content is bounded by each tool. */
const MAX_TEXT = 100_000

/** An answer as the protocol has it. */
export interface ToolResult {
  [key: string]: unknown
  content: { type: 'text'; text: string }[]
  structuredContent?: Record<string, unknown>
  isError?: boolean
}

/** A function that answers the calls of one client: checks, runs and audits them. Errors become answers that say what to do. */
export function answerCalls(session: Session, clientName: () => string) {
  let running = 0
  let calls = 0
  const { audit } = session
  return async (tool: Tool, given: unknown, signal: AbortSignal): Promise<ToolResult> => {
    calls += 1
    const common = { by: 'model', client: clientName(), action: tool.name, call: calls } as const
    const asked = redacted(bounded(withoutSecrets(given), { maxText: 500, maxItems: 50, maxValues: 200 }))
    let answer: Answer | undefined
    let failure: unknown
    running += 1
    try {
      if (running > MAX_CALLS && !tool.isStop)
        throw new ChaosError(
          'CHAOS_TOO_MANY_REQUESTS',
          `More than ${MAX_CALLS} calls are running. Wait for their answers.`,
        )
      answer = await tool.run(given, session, {
        signal,
        begin: (detail) => audit.write({ ...common, arguments: asked, outcome: 'begun', detail }),
      })
    } catch (error) {
      failure = error
    } finally {
      running -= 1
    }
    const entry: Omit<AuditEntry, 'at' | 'pid'> =
      answer === undefined
        ? {
            ...common,
            arguments: asked,
            outcome: outcomeOf(failure),
            ...codeOf(failure),
            message: messageOf(failure, { max: 500 }),
          }
        : {
            ...common,
            arguments: asked,
            outcome: 'done',
            ...(answer.detail === undefined ? {} : { detail: answer.detail }),
          }
    try {
      audit.write(entry)
    } catch (error) {
      // What has happened is told all the same. Nothing is injected without an entry that says so beforehand.
      if (answer !== undefined) answer = { ...answer, summary: `${answer.summary}\n${messageOf(error, { max: 500 })}` }
    }
    return answer === undefined ? refusalOf(failure) : resultOf(tool, answer)
  }
}

function resultOf({ isFromOutside }: Tool, { summary, data }: Answer): ToolResult {
  const text = [...(isFromOutside ? [OUTSIDE] : []), summary, printableJson(JSON.stringify(data))].join('\n\n')
  return {
    content: [{ type: 'text', text: text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (cut)` : text }],
    structuredContent: data,
  }
}

/** An error as an answer, with its code and the next step. */
function refusalOf(error: unknown): ToolResult {
  const message = messageOf(error, { max: 4_000, lines: true })
  const code = isChaosError(error) ? error.code : 'CHAOS_INTERNAL_ERROR'
  const advice = isChaosError(error) ? errorInfo(error.code).advice : undefined
  const text = [`${code}: ${message}`, ...(advice === undefined ? [] : [`Next: ${advice}`])].join('\n')
  return { content: [{ type: 'text', text }], isError: true }
}

const codeOf = (error: unknown) => (isChaosError(error) ? { code: error.code } : {})

const outcomeOf = (error: unknown): 'refused' | 'failed' =>
  isChaosError(error) && errorInfo(error.code).kind === 'refused' ? 'refused' : 'failed'

/** The values of variables may be tokens. Their names are enough for the log. */
function withoutSecrets(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || !('variables' in given)) return given
  const { variables } = given
  return {
    ...given,
    variables: typeof variables === 'object' && variables !== null ? Object.keys(variables) : '…',
  }
}

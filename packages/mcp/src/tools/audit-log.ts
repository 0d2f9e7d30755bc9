import { option } from '@chaos/core/authoring'
import { anything, listOf, objectOf } from './schemas.js'
import { defineTool } from './tool.js'

const MAX_SHOWN = 100

export const auditLogTool = defineTool({
  name: 'audit_log',
  title: 'Read the audit log',
  description:
    'Shows the last entries of the audit log: every call of a tool, also refused ones, and when a person opened or closed it.',
  effect: 'read',
  input: { limit: option.optional(option.count('The most entries. Default 20.', 1, MAX_SHOWN), 20) },
  output: objectOf({ entries: listOf(anything('An entry.'), 'Oldest first.') }),
  run({ limit }, { audit }) {
    const entries = audit.read(limit)
    return Promise.resolve({
      summary: entries
        .map(
          ({ at, by, action, outcome, code }) =>
            `${at}  ${by}  ${action}  ${outcome}${code === undefined ? '' : ` (${code})`}`,
        )
        .join('\n'),
      data: { entries },
    })
  },
})

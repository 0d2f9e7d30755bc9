import { readFileSync } from 'node:fs'

/** A behaviour under a fault that is accepted, with the title that the page explains. */
interface Accepted {
  readonly title: string
  readonly matches: RegExp
}

/** What a client may see of one request under one fault, besides the usual. */
export const accepted: readonly Accepted[] = [
  { title: 'Refused once', matches: /^\w+ 503 20\d$/ },
  { title: 'Unanswered once', matches: /^\w+ unanswered 20\d$/ },
  { title: 'Refused each time', matches: /^\w+ 503 503 503$/ },
  { title: 'Unanswered each time', matches: /^\w+ unanswered unanswered unanswered$/ },
  { title: 'Deleted, and then not found', matches: /^delete (503|unanswered) 404$/ },
  { title: 'Unhealthy for a moment', matches: /^(unhealthy: \w+|health unanswered)$/ },
]

const USUAL = /^(write 201|read 200|list 200|change 200|delete 204|healthy|no effect)$/

/** The parts of the answers of a table that are not the usual ones. */
export function unusualIn(table: string): readonly string[] {
  const { points } = JSON.parse(readFileSync(table, 'utf8')) as { points: Record<string, Record<string, string>> }
  const answers = Object.values(points).flatMap((kinds) => Object.values(kinds))
  return [...new Set(answers.flatMap((answer) => answer.split(', ')))].filter((part) => !USUAL.test(part)).sort()
}

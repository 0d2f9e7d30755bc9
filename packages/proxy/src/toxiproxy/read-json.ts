import { badBody } from './api-error.js'

/**
 * Reads the first JSON value of a text. What follows it is ignored, as Toxiproxy does.
 *
 * @throws ApiError 400 if there is none.
 */
export function readJson(text: string): unknown {
  const start = text.search(/[^ \t\r\n]/)
  if (start < 0) throw badBody('EOF')
  const end = endOfValue(text, start)
  if (end === undefined) throw badBody('unexpected EOF')
  try {
    return JSON.parse(text.slice(start, end))
  } catch {
    const [first = ''] = text.slice(start)
    const known = /["{[\dtfn-]/.test(first)
    throw badBody(
      known ? 'the first JSON value is invalid' : `invalid character '${first}' looking for beginning of value`,
    )
  }
}

/** Where a value ends that begins at `start`. `undefined`: the text ends before. */
function endOfValue(text: string, start: number): number | undefined {
  if (!/["{[]/.test(text.charAt(start))) {
    const length = text.slice(start).search(/[\s,\]}]/)
    return length < 0 ? text.length : start + Math.max(1, length)
  }
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (character === '"') {
      const end = endOfString(text, at)
      if (end === undefined) return undefined
      at = end
    } else if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') depth -= 1
    if (depth === 0) return at + 1
  }
  return undefined
}

/** Where the closing quote of a string is. */
function endOfString(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (character === '\\') at += 1
    else if (character === '"') return at
  }
  return undefined
}

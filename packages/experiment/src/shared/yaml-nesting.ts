import { Lexer, Parser } from 'yaml'

/**
 * The deepest YAML nesting. The parser recurses once per level, and V8 aborts the process when it compiles a regular
 * expression near the end of the stack.
 */
export const MAX_NESTING = 100

/** Whether a text is nested too deeply to be parsed. Scans its tokens without recursion. */
export function isTooDeep(text: string): boolean {
  const parser = new Parser()
  for (const lexeme of new Lexer().lex(text)) {
    Array.from(parser.next(lexeme))
    if (parser.stack.length > MAX_NESTING) return true
  }
  return false
}

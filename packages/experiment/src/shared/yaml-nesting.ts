import { Lexer, Parser } from 'yaml'

/** Deepest nesting of YAML. The parser recurses once a level, and V8 ends the process if it compiles a regular expression near the end of the stack. */
export const MAX_NESTING = 100

/** Whether a text is nested too deep to be parsed. Reads its tokens only, without recursion. */
export function isTooDeep(text: string): boolean {
  const parser = new Parser()
  for (const lexeme of new Lexer().lex(text)) {
    Array.from(parser.next(lexeme))
    if (parser.stack.length > MAX_NESTING) return true
  }
  return false
}

import { Lexer, Parser } from 'yaml'

/** Deepest nesting of YAML. The parser calls itself for each level: close to the end of the stack, V8 ends the process where a regular expression is compiled. */
export const MAX_NESTING = 100

/** Whether a text is nested too deep to be parsed: its tokens alone are read, which takes no recursion. */
export function isTooDeep(text: string): boolean {
  const parser = new Parser()
  for (const lexeme of new Lexer().lex(text)) {
    Array.from(parser.next(lexeme))
    if (parser.stack.length > MAX_NESTING) return true
  }
  return false
}

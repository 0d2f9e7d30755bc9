// Formats text as `npm run check:format` wants it.
import { format } from 'oxfmt'
import { read } from './sync/tree.mjs'

const options = JSON.parse(read('.oxfmtrc.json'))

/** The text of a file, formatted by the kind of file that its path names. */
export async function formatted(path, text) {
  const { code, errors } = await format(path, text, options)
  if (errors.length > 0) throw new Error(`Cannot format ${path}: ${errors.map(({ message }) => message).join('; ')}`)
  return code
}

import { ChaosError } from '@chaos/core'
import { defineFault, globMatcher, option, type OptionsOf } from '@chaos/core/authoring'
import { assertFree, assertHeaders, isFraming, linesOf } from '../header-check.js'
import { eachOf, filtered, withHeader, type HeaderLines } from '../header-lines.js'
import { affectRequests, httpProxyTarget } from '../target.js'
import { messageOption } from './message-option.js'

const NAME = 'proxy/change-headers'
const options = {
  remove: option.optional(option.names('Headers to remove: names or globs, in any case.')),
  set: option.optional(option.fields('Headers to set, in place of those of the same name.'), {}),
  add: option.optional(option.fields('Headers to add, beside those of the same name.'), {}),
  ...messageOption,
}

/** Options of {@link changeHeaders}. */
export type ChangeHeadersOptions = OptionsOf<typeof changeHeaders>

/**
 * Removes, sets and adds headers, in this order.
 *
 * Models a proxy or a release that gets headers wrong: a lost `authorization` or trace, another content type, an answer
 * that must not be cached and is. Headers that say where a message ends stay as they are, whatever a glob covers.
 *
 * An operation is a request; its name is `GET /items`, without the query.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if nothing is to be changed, or a header is none that HTTP allows, or says where
 *   the message ends.
 */
export const changeHeaders = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Removes, sets and adds headers of requests or of answers.',
  options,
  target: httpProxyTarget,
  check({ remove = [], set, add }) {
    const removed = [remove].flat()
    if (removed.length + Object.keys(set).length + Object.keys(add).length === 0)
      throw new ChaosError('CHAOS_INVALID_OPTION', `Expected \`remove\`, \`set\` or \`add\` of ${NAME}, got none.`)
    for (const name of removed) assertFree('remove', name)
    assertHeaders('set', set)
    assertHeaders('add', add)
  },
  inject(proxy, given, context) {
    const { remove = [], set, add, stream } = given
    const isRemoved = globMatcher([remove].flat().map((name) => name.toLowerCase()))
    const setLines = linesOf(set)
    const added = linesOf(add)
    const change = (lines: HeaderLines): HeaderLines => {
      let changed = filtered(lines, (name) => isFraming(name) || !isRemoved(name))
      for (const [name, value] of eachOf(setLines)) changed = withHeader(changed, name, value)
      return [...changed, ...added]
    }
    affectRequests(proxy, NAME, given, context, { headers: { of: stream, change } })
  },
})

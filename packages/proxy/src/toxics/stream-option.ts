import { option } from '@chaos/core/authoring'

/** The option that says which direction a fault affects. @param what What goes there: `Bytes`. */
export const streamOptionOf = (what: string, fallback: 'downstream' | 'both') => ({
  stream: option.optional(
    option.oneOf(
      ['upstream', 'downstream', 'both'],
      `${what} to affect. upstream: from the client to the server; downstream: from the server to the client; both.`,
    ),
    fallback,
  ),
})

/** The option `stream`, which all faults on bytes share. */
export const streamOption = streamOptionOf('Bytes', 'downstream')

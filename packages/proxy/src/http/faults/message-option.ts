import { option } from '@chaos/core/authoring'

/** The option `stream` of the faults on messages. */
export const messageOption = {
  stream: option.optional(
    option.oneOf(
      ['upstream', 'downstream'],
      'Messages to affect. upstream: requests on their way to the service; downstream: its answers.',
    ),
    'downstream',
  ),
}

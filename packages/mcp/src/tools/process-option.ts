import { option } from '@chaos/core/authoring'

/** The option by which a tool names a process. */
export const processOption = option.optional(
  option.text('Process id or name, as list_processes shows it. Default: the only process that runs.', 1_000),
)

import { option } from '@chaos/core/authoring'

/** The name of a fleet. It is part of keys and of patterns of keys, so it holds nothing that a pattern gives a meaning to. */
export const fleetName = option.matching(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  'a name of letters, digits, ".", "_" and "-", at most 64',
  'The name of the fleet.',
)

import { InvalidArgumentError } from 'commander'

/** @throws InvalidArgumentError for a text that is not a number */
export function parseNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('Expected a number.')
  return value
}

/** Names given by repeating an option, one behind the other, or with commas. */
export const namesOf = (text: string, given: readonly string[] | undefined): readonly string[] => [
  ...(given ?? []),
  ...text.split(','),
]

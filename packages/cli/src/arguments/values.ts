import { InvalidArgumentError } from 'commander'

/** Parses a number. @throws InvalidArgumentError when the text is not a number */
export function parseNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('Expected a number.')
  return value
}

/** Collects names from a repeated option, from several arguments, or from a comma-separated list. */
export const namesOf = (text: string, given: readonly string[] | undefined): readonly string[] => [
  ...(given ?? []),
  ...text.split(','),
]

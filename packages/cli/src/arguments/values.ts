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

/** Parses a port to listen on. @throws InvalidArgumentError when the text is not one */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw new InvalidArgumentError('Expected a port from 1 to 65535.')
  return port
}

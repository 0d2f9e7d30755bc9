import { randomInt } from 'node:crypto'

let drawn: string | undefined

/** The seed of every test of this process: `CHAOS_SEED`, else a seed that is drawn once. A failing test shows it. */
export function seedOfTests(): string {
  const given = process.env['CHAOS_SEED']
  return given === undefined || given === '' ? (drawn ??= String(randomInt(2 ** 32))) : given
}

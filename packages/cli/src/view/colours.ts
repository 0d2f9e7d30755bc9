import pc from 'picocolors'
import type { Io } from './io.js'

/** Colours on a terminal only, unless NO_COLOR or FORCE_COLOR overrides that. */
export function colours({ env, isTerminal }: Pick<Io, 'env' | 'isTerminal'>): ReturnType<typeof pc.createColors> {
  const { NO_COLOR: no, FORCE_COLOR: force } = env
  if (no !== undefined && no !== '') return pc.createColors(false)
  return pc.createColors(force !== undefined && force !== '0' ? true : isTerminal)
}

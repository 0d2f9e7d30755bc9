import type { InjectionContext } from '@chaos/core/authoring'
import { describe, expect, it, vi } from 'vitest'
import { commandCalls } from './command-calls.js'
import { commandTarget, type CommandSeam } from './commands.js'

/** More names than are remembered. */
const NAMES = Array.from({ length: 12_000 }, (_, index) => `X${index}`)

/** Puts a fault over the commands of a client that accepts any name. */
function commandsUnderFault(methods?: string) {
  const seams: CommandSeam[] = []
  const client = commandTarget('Client', {
    names: ['GET'],
    isName: () => true,
    patch: (_context, seam) => void seams.push(seam),
  })
  const operation = vi.fn(() => ({ covers: () => true, shouldInject: () => true, chance: () => () => true }))
  commandCalls(client, { methods }, {})({ operation } as unknown as InjectionContext, () => undefined)
  return { chosen: () => NAMES.filter((name) => seams[0]?.chooses(name, [])), operation }
}

describe('commandCalls', () => {
  it('remembers the choices of at most 10,000 names, and decides on all', () => {
    const { chosen, operation } = commandsUnderFault()
    expect(chosen()).toEqual(NAMES)
    operation.mockClear()
    expect(chosen()).toEqual(NAMES)
    expect(operation).toHaveBeenCalledTimes(2_000)
  })

  it('obeys `methods` for names that are not remembered', () => {
    const { chosen } = commandsUnderFault('X11999')
    expect(chosen()).toEqual(['X11999'])
  })
})

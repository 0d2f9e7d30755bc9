import { ChaosError, listed, suggestion, type ChaosController, type FaultInfo } from '@chaos/core'

/**
 * Finds the fault that someone means for a target: its full name, the part after the slash, or an unambiguous beginning of that.
 *
 * @throws ChaosError `CHAOS_UNKNOWN_TARGET`, `CHAOS_UNKNOWN_FAULT`
 */
export async function findFault(
  controller: Pick<ChaosController, 'targets' | 'faults'>,
  targetName: string,
  name: string,
): Promise<FaultInfo> {
  const targets = await controller.targets()
  const target = targets.find((candidate) => candidate.name === targetName)
  if (target === undefined) {
    const known = targets.map((candidate) => candidate.name)
    throw new ChaosError(
      'CHAOS_UNKNOWN_TARGET',
      `Expected a target (${listed(known)}), got \`${targetName}\`.${suggestion(targetName, known)}`,
    )
  }
  const infos = (await controller.faults()).filter((info) => target.faults.includes(info.name))
  const exact = infos.find((info) => info.name === name || shortName(info) === name)
  if (exact !== undefined) return exact
  const begun = infos.filter((info) => shortName(info).startsWith(name))
  if (begun.length === 1 && begun[0] !== undefined) return begun[0]
  if (begun.length > 1)
    throw new ChaosError(
      'CHAOS_UNKNOWN_FAULT',
      `Expected one fault of \`${targetName}\`, \`${name}\` begins several: ${listed(begun.map(shortName))}.`,
    )
  throw new ChaosError(
    'CHAOS_UNKNOWN_FAULT',
    `Expected a fault of \`${targetName}\` (${listed(infos.map((info) => info.name))}), got \`${name}\`.${suggestion(name, infos.map(shortName))}`,
  )
}

function shortName({ name }: FaultInfo): string {
  return name.slice(name.indexOf('/') + 1)
}

import { ChaosError, type ChaosController, type FaultInfo } from '@chaos/core'
import { listed, unknownName } from '@chaos/core/authoring'

/**
 * Returns the faults of a target. A target may have a selector in brackets, which its controller reads: `db[service=shop]`.
 *
 * @throws ChaosError `CHAOS_UNKNOWN_TARGET` when there is no such target
 */
export async function faultsOf(
  controller: Pick<ChaosController, 'targets' | 'faults'>,
  targetName: string,
): Promise<readonly FaultInfo[]> {
  const targets = await controller.targets()
  const [base = targetName] = targetName.split('[', 1)
  const target = targets.find(({ name }) => name === targetName) ?? targets.find(({ name }) => name === base)
  if (target !== undefined) return (await controller.faults()).filter((info) => target.faults.includes(info.name))
  const known = targets.map((candidate) => candidate.name)
  throw new ChaosError('CHAOS_UNKNOWN_TARGET', unknownName('target', targetName, known))
}

/**
 * Finds a fault of a target by its full name, the part after the slash, or an unambiguous prefix of that part.
 *
 * @throws ChaosError `CHAOS_UNKNOWN_TARGET` when the process has no such target, `CHAOS_UNKNOWN_FAULT` when no fault or
 *   more than one matches
 */
export async function findFault(
  controller: Pick<ChaosController, 'targets' | 'faults'>,
  targetName: string,
  name: string,
): Promise<FaultInfo> {
  const infos = await faultsOf(controller, targetName)
  const exact = infos.find((info) => info.name === name || shortName(info) === name)
  if (exact !== undefined) return exact
  const begun = infos.filter((info) => shortName(info).startsWith(name))
  if (begun.length === 1 && begun[0] !== undefined) return begun[0]
  if (begun.length > 1)
    throw new ChaosError(
      'CHAOS_UNKNOWN_FAULT',
      `Several faults of target "${targetName}" begin with "${name}": ${listed(begun.map(shortName))}. Use a longer prefix.`,
    )
  throw new ChaosError(
    'CHAOS_UNKNOWN_FAULT',
    unknownName(
      `fault of target "${targetName}"`,
      name,
      infos.map((info) => info.name),
      infos.map(shortName),
    ),
  )
}

function shortName({ name }: FaultInfo): string {
  return name.slice(name.indexOf('/') + 1)
}

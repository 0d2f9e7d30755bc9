import { exempt, isExempt } from '@chaos/core/authoring'
import type { Command } from '../../calls/commands.js'

/** What the faults on an operation get. */
interface StagedCommand extends Pick<Command, 'on' | 'proceed'> {
  /** Takes a function that stops a timeout. It is called once the operation is sent or answered. */
  readonly untilSent: (stop: () => void) => void
}

/** What one fault does about an operation that other faults may affect too. */
export interface Stage {
  /** Identifies the fault, which joins an operation once: its context. */
  readonly by: object
  /** Decides whether the fault affects the operation. Called when the operation gets to the fault. */
  readonly chooses: () => boolean
  readonly answer: (command: StagedCommand) => Promise<unknown>
}

/** The key of the stages. All copies of this package in a process share it. */
const KEY = Symbol.for('@chaos/adapter.sql.stages@1')

/** The stages of operations that are held, outermost first, by the object that passes through the layers of the faults. */
type StagesOf = WeakMap<object, Stage[]>

function stagesOf(): StagesOf {
  const known = Reflect.get(globalThis, KEY) as StagesOf | undefined
  if (known !== undefined) return known
  const made: StagesOf = new WeakMap()
  Object.defineProperty(globalThis, KEY, { value: made })
  return made
}

/** Begins the stages of an operation with those of the outermost fault that affects it. */
export function beginStages(operation: object, stage: Stage): readonly Stage[] {
  const stages = [stage]
  stagesOf().set(operation, stages)
  return stages
}

/**
 * Lets a fault act on an operation after the faults above it that hold it.
 *
 * @returns Whether there is such a fault. If not, the fault itself may begin.
 */
export function joinStages(operation: object, stage: Stage): boolean {
  const stages = stagesOf().get(operation)
  if (stages?.some(({ by }) => by === stage.by) === false) stages.push(stage)
  return stages !== undefined
}

/**
 * Lets the faults on one operation act after those on another one, which is a part of it.
 *
 * @param stages The outermost fault comes first, and has chosen the operation.
 */
export function joinAll(operation: object, [outermost, ...others]: readonly Stage[]): void {
  joinStages(operation, { ...(outermost as Stage), chooses: () => true })
  for (const stage of others) joinStages(operation, stage)
}

/** Returns whether an object stands for an operation that a fault holds. */
export function isHeld(operation: unknown): boolean {
  return typeof operation === 'object' && operation !== null && stagesOf().has(operation)
}

/** Lets another object stand for an operation from now on. It is held, or exempt from faults, as the operation is. */
export function standInFor<T extends object>(operation: object, standIn: T): T {
  const stages = stagesOf().get(operation)
  if (stages !== undefined) stagesOf().set(standIn, stages)
  return isExempt(operation) ? exempt(standIn) : standIn
}

/**
 * Makes the answer of all faults that hold an operation. Each fault decides when the ones above it let the operation
 * proceed, so a fault that does not see it counts no hit. Faults see the answer in the opposite order.
 *
 * @param joined The outermost fault comes first, and has chosen the operation.
 * @param send Sends the operation, beneath all faults. `isFirst` is false for a copy.
 */
export function answerInStages(
  joined: readonly Stage[],
  { on, send }: Pick<Command, 'on'> & { readonly send: (isFirst: boolean) => Promise<unknown> },
): Promise<unknown> {
  // A fault that is injected from now on does not see the operation.
  const stages = [...joined]
  const stops: (() => void)[] = []
  const stopAll = (): void => stops.splice(0).forEach((stop) => stop())
  const answerOf = (stage: Stage, index: number, isFirst: boolean): Promise<unknown> => {
    let isProceeding = false
    return stage.answer({
      on,
      untilSent: (stop) => void stops.push(stop),
      proceed() {
        const isCopy = isProceeding
        isProceeding = true
        return proceedFrom(index + 1, isFirst && !isCopy)
      },
    })
  }
  const proceedFrom = (start: number, isFirst: boolean): Promise<unknown> => {
    for (let index = start; on?.isGone() !== true; index += 1) {
      const stage = stages[index]
      if (stage === undefined) break
      if (stage.chooses()) return answerOf(stage, index, isFirst)
    }
    stopAll()
    return send(isFirst)
  }
  return answerOf(stages[0] as Stage, 0, true).finally(stopAll)
}

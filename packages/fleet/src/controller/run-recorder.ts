import type { Clock, JournalEntry } from '@chaos/core'
import { messageOf } from '@chaos/core/authoring'
import type { Plan } from '../plan/plan.js'
import { injectionStateOf, type Asked } from './injection-state.js'
import type { FleetJournal } from './journal.js'
import { accountOf, endedByItself, isOver, type InstanceOutcome } from './outcomes.js'
import type { RunEvent, RunState } from './run-state.js'

/** Records a run where people look: in the journal, in the audit log of the engine, and for followers of the controller. */
export interface RunRecorder {
  /** Takes an event over. @returns Whether it was recorded. */
  take(event: RunEvent): boolean
}

/**
 * Makes the recorder of a run, and writes its plan to the journal.
 *
 * @throws ChaosError `CHAOS_FLEET_JOURNAL_BROKEN` if the journal cannot be written. Nothing has been opened then.
 */
export function runRecorder({
  asked,
  plan,
  keyId,
  by,
  note: send,
  journal,
  emit,
  clock,
}: {
  readonly asked: Asked
  readonly plan: Plan
  readonly keyId: string
  readonly by: string
  /** Leaves an entry in the engine's audit log. It never throws, and need not be waited for. */
  readonly note: (what: string, by: string, details: Readonly<Record<string, string>>) => void
  readonly journal: FleetJournal | undefined
  readonly emit: (entry: JournalEntry) => void
  readonly clock: Clock
}): RunRecorder {
  const { runId: run } = plan
  journal?.add('run-planned', { run, injection: asked.id, keyId, plan })
  let hasFailed = false

  const tell = (type: 'armed' | 'landed' | 'ended', state: RunState): void =>
    emit({ type, at: clock.now(), injection: injectionStateOf(asked, state) })
  const warn = (message: string): void => emit({ type: 'warning', at: clock.now(), id: asked.id, message })

  function record(what: string, details: Readonly<Record<string, unknown>>): void {
    if (hasFailed) return
    try {
      journal?.add(what, { run, ...details })
    } catch (error) {
      hasFailed = true
      warn(`The run is stopped, since it cannot be recorded: ${messageOf(error)}`)
    }
  }

  /** Leaves a note in the engine's audit log, with the head of the journal, which shows later that nothing was cut off. */
  function note(what: string, details: Readonly<Record<string, string>>): void {
    const head = journal === undefined ? {} : { journal: journal.head }
    send(what, by, { run, ...details, ...head })
  }

  function takeInstance(before: InstanceOutcome, now: InstanceOutcome): void {
    const { id, status, why, hits, evidence } = now
    if (now.hits > before.hits) emit({ type: 'hit', at: clock.now(), id: asked.id, operation: id, call: hits })
    if (now.isGone && !before.isGone && !isOver(now)) {
      record('instance', { instance: id, status: 'gone', hits })
      warn(`${id}: gone`)
    }
    if (status === before.status) return
    record('instance', { instance: id, status, ...(why === undefined ? {} : { why }), hits, evidence })
    if (
      status === 'refused' ||
      (isOver(now) && before.status === 'applied' && !endedByItself(now) && why !== 'run-gone')
    )
      warn(`${id}: ${status}${why === undefined ? '' : ` (${why})`}`)
  }

  return {
    take(event) {
      const { state } = event
      switch (event.type) {
        case 'opened':
          record('run-opened', {})
          tell('armed', state)
          break
        case 'active':
          record('run-active', accountOf(state.instances))
          break
        case 'landed':
          record('run-landed', {})
          tell('landed', state)
          break
        case 'instance':
          takeInstance(event.before, event.now)
          break
        case 'ending':
          record('run-ending', endOf(state))
          break
        case 'ended':
          record('run-ended', { ...endOf(state), ...accountOf(state.instances) })
          note('run-ended', { ...endOf(state), ...textsOf(accountOf(state.instances)) })
          // Also of a run that was refused: it has what each instance said.
          tell('ended', state)
          break
      }
      return !hasFailed
    },
  }
}

const endOf = ({ end, why }: RunState): Readonly<Record<string, string>> => ({
  end: end ?? 'unknown',
  ...(why === undefined ? {} : { why }),
})

const textsOf = (counts: Readonly<Record<string, number>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, String(value)]))

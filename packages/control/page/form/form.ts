import type { FaultInfo, InjectionRequest, MintedScope, TargetInfo } from '../data/types.js'
import { RequestError } from '../data/request.js'
import { button, el, setText } from '../view/dom.js'
import { COMMON_FIELDS, LEASE_FIELD, RATE_FIELD } from './common-fields.js'
import { control, type Control } from './control.js'
import { copyPanel } from './copy-panel.js'
import type { Place } from '../copy/place.js'
import { fieldsOf } from './fields.js'
import { LEASES, RATES } from './presets.js'
import { controlOfProblem, requestOf } from './request-of.js'
import { scopeBox } from './scope-box.js'

/** What the form does. */
export interface FormActions {
  readonly inject: (request: InjectionRequest) => Promise<void>
  readonly check: (request: InjectionRequest) => Promise<void>
  readonly mint: () => Promise<MintedScope>
  /** The id of the event stream; `undefined` while there is none. */
  readonly connection: () => string | undefined
  readonly place: Place
}

/** The form that injects a fault. */
export interface Form {
  update(targets: readonly TargetInfo[], faults: readonly FaultInfo[]): void
  /** Fills in target and fault, and moves the focus to the first field. */
  choose(target: string, fault: string): void
}

/** The lease that the form begins with, in ms. */
const LEASE_MS = 30_000

export function takeOverForm(region: HTMLElement, actions: FormActions): Form {
  let targets: readonly TargetInfo[] = []
  let faults: readonly FaultInfo[] = []
  let options: readonly Control[] = []

  const target = el('select', { id: 'form-target', required: true })
  const fault = el('select', { id: 'form-fault', required: true })
  const summary = el('p', { class: 'quiet', id: 'form-summary' })
  const lease = control(LEASE_FIELD, LEASES)
  const rate = control(RATE_FIELD, RATES)
  const more = COMMON_FIELDS.map((field) => control(field))
  const scope = scopeBox(actions.mint)
  const how = [lease, rate, scope, ...more]
  const optionsBox = el('fieldset', {}, el('legend', {}, 'Options of the fault'))
  const hold = el('input', { type: 'checkbox', id: 'form-hold' })
  const moreBox = el('details', {}, el('summary', {}, 'More limits'), ...more.map(({ element }) => element))
  const outcome = el('p', { class: 'outcome', role: 'status' })
  const injecting = el('button', { type: 'submit', class: 'primary' }, 'Inject')
  const checking = button('Check only', () => void send('check'))
  const copies = copyPanel(actions.place)
  const form = el(
    'form',
    { class: 'inject' },
    labelled('Target', target),
    labelled('Fault', fault),
    summary,
    el(
      'fieldset',
      {},
      el('legend', {}, 'How long, how much'),
      lease.element,
      rate.element,
      el(
        'div',
        { class: 'field check' },
        hold,
        el('label', { for: 'form-hold' }, 'Ends when this page closes, at the latest with its lease'),
      ),
    ),
    optionsBox,
    scope.element,
    moreBox,
    el('div', { class: 'actions' }, injecting, checking, outcome),
    copies.element,
  )
  const nothing = el('p', { class: 'quiet' }, 'The process has no targets to inject a fault into.')
  region.replaceChildren(el('h2', {}, 'Inject a fault'), nothing, form)
  lease.set(LEASE_MS)

  target.addEventListener('change', () => {
    showFaults()
    showOptions()
  })
  fault.addEventListener('change', showOptions)
  form.addEventListener('input', () => {
    setText(outcome, '')
    showCopies()
  })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void send('inject')
  })

  const info = (): FaultInfo | undefined => faults.find(({ name }) => name === fault.value)

  function showFaults(): void {
    const chosen = fault.value
    const names = targets.find(({ name }) => name === target.value)?.faults ?? []
    fault.replaceChildren(...names.map((name) => el('option', { value: name }, name)))
    if (names.includes(chosen)) fault.value = chosen
  }

  function showOptions(): void {
    const chosen = info()
    options = fieldsOf(chosen?.options ?? {}).map((field) => control(field))
    setText(
      summary,
      chosen === undefined ? '' : `${chosen.summary}${chosen.kind === 'instant' ? ' Happens once.' : ''}`,
    )
    optionsBox.replaceChildren(
      el('legend', {}, 'Options of the fault'),
      ...(options.length === 0 ? [el('p', { class: 'quiet' }, 'It has none.')] : options.map(({ element }) => element)),
    )
    for (const one of how) one.complain(undefined)
    setText(outcome, '')
    showCopies()
  }

  function request(): InjectionRequest {
    return requestOf({
      target: target.value,
      fault: fault.value,
      options,
      how,
      connection: hold.checked ? actions.connection() : undefined,
    })
  }

  function showCopies(): void {
    const chosen = info()
    if (chosen === undefined || !form.matches(':valid')) copies.show(undefined, undefined)
    // What holds the copied injection is the copied program, whether or not this page is connected.
    else copies.show({ ...request(), ...(hold.checked ? { connection: 'held' } : {}) }, chosen)
  }

  async function send(what: 'inject' | 'check'): Promise<void> {
    for (const one of [...options, ...how]) one.complain(undefined)
    if (more.some(({ element }) => element.querySelector(':invalid') !== null)) moreBox.open = true
    if (!form.reportValidity()) return
    if (hold.checked && actions.connection() === undefined) {
      setText(
        outcome,
        'The page is not connected, so it cannot hold the fault. Wait, or untick that it ends with the page.',
      )
      return
    }
    injecting.disabled = checking.disabled = true
    setText(outcome, what === 'inject' ? 'Injecting …' : 'Checking …')
    try {
      await actions[what](request())
      setText(outcome, what === 'inject' ? 'Injected.' : 'The check found nothing wrong. Nothing was injected.')
    } catch (error) {
      complain(error)
    } finally {
      injecting.disabled = checking.disabled = false
    }
  }

  /** Shows what the server refused at the field that it is about. */
  function complain(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    const field = error instanceof RequestError ? error.field : undefined
    const about = controlOfProblem([...options, ...how], field, message)
    setText(outcome, about === undefined ? message : `Not done: see ${about.name}.`)
    if (about === undefined) return
    if (more.includes(about)) moreBox.open = true
    about.complain(message)
    about.focus()
  }

  return {
    update(nowTargets, nowFaults) {
      if (JSON.stringify(nowTargets) === JSON.stringify(targets) && nowFaults.length === faults.length) return
      const [chosenTarget, chosenFault] = [target.value, fault.value]
      targets = nowTargets
      faults = nowFaults
      nothing.hidden = targets.length > 0
      form.hidden = targets.length === 0
      target.replaceChildren(...targets.map(({ name }) => el('option', { value: name }, name)))
      if (targets.some(({ name }) => name === chosenTarget)) target.value = chosenTarget
      showFaults()
      // What was typed stays, unless the fault is gone.
      if (fault.value !== chosenFault || options.length === 0) showOptions()
    },
    choose(targetName, faultName) {
      target.value = targetName
      showFaults()
      fault.value = faultName
      showOptions()
      region.scrollIntoView({ block: 'nearest' })
      ;(options[0] ?? lease).focus()
    },
  }
}

function labelled(text: string, select: HTMLSelectElement): HTMLElement {
  return el('div', { class: 'field' }, el('label', { class: 'label', for: select.id }, text), select)
}

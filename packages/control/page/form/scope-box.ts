import type { MintedScope } from '../data/types.js'
import { el } from '../view/dom.js'
import { control, type Control } from './control.js'
import { mintPanel } from './mint-panel.js'
import { SCOPE_CHOICES } from './scope-fields.js'

/** The part of the form that chooses the requests that a fault may affect. Its value is the `scope` of the injection. */
export function scopeBox(mint: () => Promise<MintedScope>): Control {
  const choices = el(
    'select',
    { id: 'form-scope' },
    ...SCOPE_CHOICES.map(({ value, label }) => el('option', { value }, label)),
  )
  const entered = el('div')
  const minting = mintPanel(mint, set)
  let chosen: Control | undefined

  const element = el(
    'fieldset',
    {},
    el('legend', {}, 'Only these requests'),
    el('div', { class: 'field' }, el('label', { class: 'label', for: choices.id }, 'Chosen by'), choices),
    entered,
    minting,
  )
  choices.addEventListener('change', show)
  entered.addEventListener('input', requireName)
  show()

  function show(): void {
    const field = SCOPE_CHOICES.find(({ value }) => value === choices.value)?.field
    chosen = field === undefined ? undefined : control(field)
    entered.replaceChildren(...(chosen === undefined ? [] : [chosen.element]))
    entered.hidden = chosen === undefined
    minting.hidden = choices.value !== 'scope'
  }

  /** Blank lines name nobody. Sent as nothing, they would mean everybody. */
  function requireName(): void {
    const input = entered.querySelector<HTMLInputElement | HTMLTextAreaElement>('input, textarea')
    input?.setCustomValidity(input.value !== '' && chosen?.value() === undefined ? 'Enter at least one name.' : '')
  }

  function set(id: unknown): void {
    choices.value = id === undefined ? '' : 'scope'
    show()
    chosen?.set(id)
    element.dispatchEvent(new Event('input', { bubbles: true }))
  }

  return {
    name: 'scope',
    element,
    value() {
      const value = chosen?.value()
      return value === undefined || chosen?.name === 'scope' ? value : { [choices.value]: value }
    },
    set,
    complain: (message) => chosen?.complain(message),
    focus: () => (chosen ?? choices).focus(),
  }
}

import { button, el } from '../view/dom.js'
import type { Field } from './fields.js'
import { fieldsInput } from './fields-input.js'
import type { Input } from './input.js'
import { presetsOf, type Preset } from './presets.js'
import { choiceInput, flagInput, jsonInput, namesInput, numberInput, textInput } from './plain-inputs.js'
import { scalarInput } from './scalar-input.js'

/** A field with its label, its input, and room for what is wrong with it. */
export interface Control {
  readonly name: string
  readonly element: HTMLElement
  /** The value; `undefined` if nothing was entered. */
  value(): unknown
  set(value: unknown): void
  /** Shows what is wrong, or no longer. */
  complain(message: string | undefined): void
  focus(): void
}

let made = 0

/** Makes the control of a field. */
export function control(field: Field, presets: readonly Preset[] = presetsOf(field.name)): Control {
  const id = `field-${(made += 1)}`
  const input = inputOf(field, id)
  const notes = notesOf(field)
  const note = el('p', { id: `${id}-note`, class: 'note' }, notes)
  const problem = el('p', { id: `${id}-problem`, class: 'problem', role: 'alert' })
  const isGroup = input.element.getAttribute('role') === 'group'
  const label = el(
    isGroup ? 'span' : 'label',
    { id: `${id}-label`, class: 'label', ...(isGroup ? {} : { for: id }) },
    field.name,
    field.isRequired ? el('span', { class: 'required' }, ' required') : undefined,
  )
  for (const one of input.parts) one.setAttribute('aria-describedby', `${id}-note ${id}-problem`)
  if (isGroup) input.element.setAttribute('aria-labelledby', `${id}-label`)
  const element = el('div', { class: 'field', 'data-field': field.name }, label, chipsOf(presets, input, field.name))
  element.append(input.element, ...(notes === '' ? [] : [note]), problem)
  if (notes === '') for (const one of input.parts) one.setAttribute('aria-describedby', `${id}-problem`)

  const complain = (message: string | undefined): void => {
    problem.textContent = message ?? ''
    for (const one of input.parts)
      if (message === undefined) one.removeAttribute('aria-invalid')
      else one.setAttribute('aria-invalid', 'true')
  }
  element.addEventListener('input', () => complain(undefined))
  return {
    name: field.name,
    element,
    value: () => input.value(),
    set: (value) => input.set(value),
    complain,
    focus: () => input.parts[0]?.focus(),
  }
}

function inputOf(field: Field, id: string): Input {
  const { kind } = field
  switch (kind.type) {
    case 'number':
      return numberInput(kind, field, id)
    case 'text':
      return textInput(kind, field, id)
    case 'choice':
      return choiceInput(kind.choices, field, id)
    case 'flag':
      return flagInput(field, id)
    case 'names':
      return namesInput(kind.isList, field, id)
    case 'scalar':
      return scalarInput(kind.kinds, field.name)
    case 'fields':
      return fieldsInput(kind.maxFields, field.name)
    case 'json':
      return jsonInput(field, id)
  }
}

/** Description, default and range in words. The description may say the default itself. */
function notesOf({ description, default: fallback, kind }: Field): string {
  const range =
    kind.type === 'number' && kind.max !== undefined && kind.max < 2_147_483_647
      ? `${kind.min ?? 'Any'} to ${kind.max}.`
      : ''
  const isTold = fallback === undefined || /\bdefault\b/i.test(description)
  return [
    description,
    kind.type === 'names' && !description.includes('per line') ? 'One per line.' : '',
    isTold ? '' : `Default ${JSON.stringify(fallback)}.`,
    description.includes(' to ') ? '' : range,
  ]
    .filter((text) => text !== '')
    .join(' ')
}

function chipsOf(presets: readonly Preset[], input: Input, name: string): HTMLElement | undefined {
  if (presets.length === 0) return undefined
  const chips = presets.map(({ label, value }) =>
    button(label, () => {
      input.set(value)
      input.element.dispatchEvent(new Event('input', { bubbles: true }))
    }),
  )
  return el('div', { class: 'chips', role: 'group', 'aria-label': `Presets of ${name}` }, ...chips)
}

import { el } from '../view/dom.js'
import type { Field, FieldKind } from './fields.js'
import type { Input } from './input.js'

type KindOf<Type extends FieldKind['type']> = Extract<FieldKind, { readonly type: Type }>

/** The most choices that are listed without headings. */
const FEW_CHOICES = 9

export function numberInput({ isWhole, min, max }: KindOf<'number'>, field: Field, id: string): Input {
  const element = el('input', {
    id,
    type: 'number',
    step: isWhole ? 1 : 'any',
    min,
    max,
    required: field.isRequired,
    placeholder: typeof field.default === 'number' ? field.default : undefined,
  })
  return {
    element,
    parts: [element],
    value: () => (element.value === '' ? undefined : Number(element.value)),
    set: (value) => void (element.value = typeof value === 'number' ? String(value) : ''),
  }
}

/** A text of one line or more. An empty one counts as not entered. */
export function textInput({ minLength, maxLength, pattern }: KindOf<'text'>, field: Field, id: string): Input {
  const isLong = (maxLength ?? Infinity) > 1_000
  const attributes = {
    id,
    minlength: minLength,
    maxlength: maxLength,
    required: field.isRequired,
    spellcheck: 'false',
    placeholder: typeof field.default === 'string' ? field.default : undefined,
  }
  const element = isLong ? el('textarea', { ...attributes, rows: 1 }) : el('input', { ...attributes, type: 'text' })
  if (!isLong && pattern !== undefined) element.setAttribute('pattern', pattern)
  return {
    element,
    parts: [element],
    value: () => (element.value === '' ? undefined : element.value),
    set: (value) => void (element.value = typeof value === 'string' ? value : ''),
  }
}

export function choiceInput(choices: readonly string[], field: Field, id: string): Input {
  const element = el('select', { id, required: field.isRequired })
  if (!field.isRequired) {
    const none = typeof field.default === 'string' ? `default: ${field.default}` : 'not set'
    element.append(el('option', { value: '' }, none))
  }
  element.append(...(choices.length > FEW_CHOICES ? groupsOf(choices) : choices.map(optionOf)))
  return {
    element,
    parts: [element],
    value: () => (element.value === '' ? undefined : element.value),
    set: (value) => void (element.value = typeof value === 'string' ? value : ''),
  }
}

const optionOf = (choice: string): HTMLOptionElement => el('option', { value: choice }, choice)

/** Choices under the part before their slash. */
function groupsOf(choices: readonly string[]): readonly Element[] {
  const groups = new Map<string, string[]>()
  for (const choice of choices) {
    const name = choice.includes('/') ? choice.slice(0, choice.indexOf('/')) : ''
    groups.set(name, [...(groups.get(name) ?? []), choice])
  }
  return [...groups].flatMap(([name, members]) =>
    name === '' ? members.map(optionOf) : [el('optgroup', { label: name }, ...members.map(optionOf))],
  )
}

export function flagInput(field: Field, id: string): Input {
  const choice = choiceInput(
    ['true', 'false'],
    { ...field, default: typeof field.default === 'boolean' ? String(field.default) : undefined },
    id,
  )
  return {
    ...choice,
    value: () => (choice.value() === undefined ? undefined : choice.value() === 'true'),
    set: (value) => choice.set(typeof value === 'boolean' ? String(value) : undefined),
  }
}

/** Names or globs, one per line. */
export function namesInput(isList: boolean, field: Field, id: string): Input {
  const element = el('textarea', { id, rows: 1, required: field.isRequired, spellcheck: 'false' })
  return {
    element,
    parts: [element],
    value() {
      const names = element.value.split('\n').filter((name) => name !== '')
      if (names.length === 0) return undefined
      return names.length === 1 && !isList ? names[0] : names
    },
    set: (value) =>
      void (element.value = [value]
        .flat()
        .filter((name) => typeof name === 'string')
        .join('\n')),
  }
}

export function jsonInput(field: Field, id: string): Input {
  const element = el('textarea', {
    id,
    rows: 1,
    required: field.isRequired,
    spellcheck: 'false',
    placeholder: 'JSON',
  })
  const parsed = (): unknown => JSON.parse(element.value) as unknown
  element.addEventListener('input', () => {
    try {
      if (element.value !== '') parsed()
      element.setCustomValidity('')
    } catch {
      element.setCustomValidity('Enter JSON: "text", 7, true, null, [ … ] or { … }.')
    }
  })
  return {
    element,
    parts: [element],
    value: () => (element.value === '' || !element.validity.valid ? undefined : parsed()),
    set: (value) => void (element.value = value === undefined ? '' : JSON.stringify(value)),
  }
}

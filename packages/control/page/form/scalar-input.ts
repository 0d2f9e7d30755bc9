import { el } from '../view/dom.js'
import type { ScalarKind } from './fields.js'
import type { Input } from './input.js'

const NOT_SET = ''

/** A value whose kind is chosen: a text, a number, true or false, null. */
export function scalarInput(kinds: readonly ScalarKind[], name: string, isOptional = true): Input {
  const kind = el(
    'select',
    { 'aria-label': `Kind of ${name}` },
    ...(isOptional ? [el('option', { value: NOT_SET }, 'not set')] : []),
    ...kinds.map((one) => el('option', { value: one }, one)),
  )
  const text = el('input', { type: 'text', 'aria-label': `Value of ${name}`, spellcheck: 'false' })
  const number = el('input', { type: 'number', step: 'any', 'aria-label': `Value of ${name}` })
  const flag = el(
    'select',
    { 'aria-label': `Value of ${name}` },
    el('option', { value: 'true' }, 'true'),
    el('option', { value: 'false' }, 'false'),
  )
  const element = el('div', { role: 'group', class: 'scalar' }, kind, text, number, flag)

  function show(): void {
    text.hidden = kind.value !== 'text'
    number.hidden = kind.value !== 'number'
    number.required = !number.hidden
    flag.hidden = kind.value !== 'true or false'
  }
  kind.addEventListener('change', show)
  show()

  return {
    element,
    parts: [kind, text, number, flag],
    value() {
      if (kind.value === 'text') return text.value
      if (kind.value === 'number') return number.value === '' ? undefined : Number(number.value)
      if (kind.value === 'true or false') return flag.value === 'true'
      return kind.value === 'null' ? null : undefined
    },
    set(value) {
      kind.value = kindOf(value)
      text.value = typeof value === 'string' ? value : ''
      number.value = typeof value === 'number' ? String(value) : ''
      flag.value = String(value === true)
      show()
    },
  }
}

function kindOf(value: unknown): ScalarKind | typeof NOT_SET {
  if (value === null) return 'null'
  if (typeof value === 'string') return 'text'
  if (typeof value === 'number') return 'number'
  return typeof value === 'boolean' ? 'true or false' : NOT_SET
}

import { button, el } from '../view/dom.js'
import type { Input } from './input.js'
import { scalarInput } from './scalar-input.js'

interface Row {
  readonly element: HTMLElement
  readonly path: HTMLInputElement
  readonly scalar: Input
}

/** Values by field path, a row each. */
export function fieldsInput(maxFields: number, name: string): Input {
  const rows: Row[] = []
  const list = el('div', { class: 'rows' })
  const add = button('Add a field', () => {
    addRow().path.focus()
    changed()
  })
  const element = el('div', { role: 'group', class: 'fields' }, list, add)
  const changed = (): void => void element.dispatchEvent(new Event('input', { bubbles: true }))

  function addRow(): Row {
    const path = el('input', { type: 'text', 'aria-label': `Field path of ${name}`, required: true, maxlength: 1_024 })
    const scalar = scalarInput(['text', 'number', 'true or false', 'null'], name, false)
    const remove = button(
      'Remove',
      () => {
        rows.splice(rows.indexOf(row), 1)
        row.element.remove()
        add.hidden = false
        add.focus()
        changed()
      },
      { 'aria-label': `Remove this field of ${name}` },
    )
    scalar.element.setAttribute('aria-label', `Value of a field of ${name}`)
    const row: Row = { path, scalar, element: el('div', { class: 'row' }, path, scalar.element, remove) }
    rows.push(row)
    list.append(row.element)
    add.hidden = rows.length >= maxFields
    return row
  }

  return {
    element,
    parts: [add],
    value: () =>
      rows.length === 0
        ? undefined
        : Object.fromEntries(rows.map(({ path, scalar }) => [path.value, scalar.value() ?? null])),
    set(value) {
      rows.length = 0
      list.replaceChildren()
      for (const [path, one] of Object.entries(value ?? {}).slice(0, maxFields)) {
        const row = addRow()
        row.path.value = path
        row.scalar.set(one)
      }
    },
  }
}

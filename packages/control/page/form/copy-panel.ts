import { code, testCode } from '../copy/code.js'
import { commandLine } from '../copy/command-line.js'
import { experiment } from '../copy/experiment.js'
import type { Copied, Place } from '../copy/place.js'
import type { FaultInfo, InjectionRequest } from '../data/types.js'
import { button, el, setText } from '../view/dom.js'

/** Shows what the form says in other words: a command, code, an experiment, a test. */
export interface CopyPanel {
  readonly element: HTMLElement
  show(request: InjectionRequest | undefined, info: FaultInfo | undefined): void
}

const FORMS = ['CLI', 'code', 'YAML', 'test'] as const
type FormName = (typeof FORMS)[number]

export function copyPanel(place: Place): CopyPanel {
  let form: FormName = 'CLI'
  let request: InjectionRequest | undefined
  let info: FaultInfo | undefined

  const text = el('code', {})
  // A wide line scrolls, also by keyboard.
  const box = el(
    'pre',
    { tabindex: 0, role: 'region', 'aria-label': 'The same in words to copy', class: 'copied' },
    text,
  )
  const note = el('p', { class: 'quiet' })
  const said = el('span', { role: 'status', class: 'quiet' })
  const copy = button('Copy', () => void copyText())
  const choices = FORMS.map((name) => {
    const input = el('input', { type: 'radio', name: 'copy-as', id: `copy-${name}`, value: name })
    input.checked = name === form
    input.addEventListener('change', () => {
      form = name
      refresh()
    })
    return el('span', {}, input, el('label', { for: input.id }, name))
  })
  const element = el(
    'fieldset',
    { class: 'copy' },
    el('legend', {}, 'Copy as'),
    el('div', { class: 'choices' }, ...choices),
    box,
    note,
    el('p', { class: 'actions' }, copy, said),
  )

  function made(): Copied {
    if (request === undefined || info === undefined) return { problem: 'Fill in the required fields first.' }
    switch (form) {
      case 'CLI':
        return commandLine(request, info, place)
      case 'code':
        return code(request, place)
      case 'YAML':
        return experiment(request)
      case 'test':
        return testCode(request, place)
    }
  }

  function refresh(): void {
    const copied = made()
    setText(text, copied.text ?? '')
    setText(note, copied.text === undefined ? copied.problem : (copied.note ?? ''))
    setText(said, '')
    box.hidden = copied.text === undefined
    copy.disabled = copied.text === undefined
  }

  async function copyText(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text.textContent)
      setText(said, 'Copied.')
    } catch {
      // Without a secure origin, or without permission: the text is selected, to be copied by hand.
      getSelection()?.selectAllChildren(text)
      box.focus()
      setText(said, 'Selected. Press Ctrl+C, or ⌘C.')
    }
  }

  refresh()
  return {
    element,
    show(nowRequest, nowInfo) {
      request = nowRequest
      info = nowInfo
      refresh()
    },
  }
}

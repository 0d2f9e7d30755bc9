import { visible } from '../data/visible.js'

/** Attributes of an element. `true` sets an attribute without a value; `undefined` and `false` set none. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>
type Child = Node | string | undefined

function filled<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value)
  // A string becomes a text node: nothing that comes from the process is read as HTML, and nothing in it is hidden.
  for (const child of children)
    if (child !== undefined) element.append(typeof child === 'string' ? visible(child) : child)
  return element
}

/** Makes an HTML element. */
export const el = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] => filled(document.createElement(tag), attributes, children)

/** Makes an SVG element. */
export const svg = <K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] => filled(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children)

/** Makes a button that does something. */
export function button(label: string, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = el('button', { type: 'button', ...attributes }, label)
  made.addEventListener('click', onClick)
  return made
}

/** Attributes that people read or hear. */
const READ = ['aria-label', 'label', 'placeholder', 'title']

/** Sets or removes an attribute, if it differs: a screen reader hears of changes only. */
export function setAttribute(element: Element, name: string, value: Attributes[string]): void {
  const text = value === true ? '' : READ.includes(name) ? visible(String(value)) : String(value)
  if (value === false || value === undefined) element.removeAttribute(name)
  else if (element.getAttribute(name) !== text) element.setAttribute(name, text)
}

/** Sets the text of an element, if it differs. */
export function setText(element: Element, text: string): void {
  const shown = visible(text)
  if (element.textContent !== shown) element.textContent = shown
}

/** Puts children into an element in this order. One that is in its place stays untouched, and so keeps the focus. */
export function arrange(parent: Element, children: readonly Element[]): void {
  const wanted = new Set(children)
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove()
  let next = parent.firstElementChild
  for (const child of children) {
    if (child === next) next = next.nextElementSibling
    else parent.insertBefore(child, next)
  }
}

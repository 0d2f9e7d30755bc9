/** What a value is entered with. */
export interface Input {
  readonly element: HTMLElement
  /** The elements that take the focus, the main one first. */
  readonly parts: readonly HTMLElement[]
  /** The value; `undefined` if nothing was entered. */
  value(): unknown
  set(value: unknown): void
}

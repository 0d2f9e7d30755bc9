import type { InjectionContext } from '@chaos/core/authoring'

/**
 * Watches a global variable until the injection ends. The variable keeps its value. Code that replaces the variable
 * may save the watch and put it back after the end; the first read then removes it.
 *
 * @param onUse Called before each read and after each write.
 */
export function watchedGlobal(
  global: object,
  key: PropertyKey,
  context: InjectionContext,
  onUse: (value: unknown) => void,
): void {
  const before = Object.getOwnPropertyDescriptor(global, key)
  if (before?.configurable === false || (before !== undefined && !('value' in before))) return
  const plain = before ?? { writable: true, configurable: true, enumerable: true }
  let value: unknown = before?.value
  let isMissing = before === undefined
  const isWatching = (): boolean => Object.getOwnPropertyDescriptor(global, key)?.get === get
  const restore = (): void => {
    if (!isWatching()) return
    if (isMissing) Reflect.deleteProperty(global, key)
    else Object.defineProperty(global, key, { ...plain, value })
  }
  const get = (): unknown => {
    if (context.signal.aborted) restore()
    else onUse(value)
    return value
  }
  const set = (next: unknown): void => {
    value = next
    isMissing = false
    if (context.signal.aborted) restore()
    else onUse(value)
  }
  Object.defineProperty(global, key, { get, set, configurable: true, enumerable: plain.enumerable ?? true })
  context.defer(restore)
}

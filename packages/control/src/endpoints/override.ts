/**
 * Gives an object a property of its own in place of the one that it has or inherits.
 *
 * @returns Puts the property back as it was. If other code has replaced the property since, it stays as it is.
 */
export function override(object: object, key: string, value: unknown): () => void {
  const own = Object.getOwnPropertyDescriptor(object, key)
  Object.defineProperty(object, key, { value, configurable: true, writable: true })
  return () => {
    if (Reflect.get(object, key) !== value) return
    if (own === undefined) Reflect.deleteProperty(object, key)
    else Object.defineProperty(object, key, own)
  }
}

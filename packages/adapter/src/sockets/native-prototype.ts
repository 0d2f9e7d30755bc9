/**
 * Returns the prototype of a class of a native binding of Node.js; `undefined` where Node.js denies its bindings, as under
 * `--permission`, or has no such class.
 */
export function nativePrototype(binding: string, name: string): object | undefined {
  try {
    const classes = (process as unknown as { readonly binding: (name: string) => object }).binding(binding)
    const found: unknown = Reflect.get(classes, name)
    return typeof found === 'function' ? (found.prototype as object) : undefined
  } catch {
    return undefined
  }
}

/**
 * Returns the symbol with a description among the keys of an object and of its prototypes. Node.js and undici keep much
 * of their state under such symbols.
 */
export function hiddenKey(object: object, name: string): symbol | undefined {
  for (let holder: object | null = object; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
    const key = Object.getOwnPropertySymbols(holder).find(({ description }) => description === name)
    if (key !== undefined) return key
  }
  return undefined
}

/** Returns what an object keeps under a symbol with a description; `undefined` if there is no such symbol. */
export function hidden(object: object, name: string): unknown {
  const key = hiddenKey(object, name)
  return key === undefined ? undefined : (Reflect.get(object, key) as unknown)
}

/** What is compared of one object: its prototype, its keys with their attributes, and the identity of its functions. */
export type Shape = readonly {
  readonly prototype: object | null
  readonly members: ReadonlyMap<PropertyKey, readonly unknown[]>
}[]

/** The shape of an object and of everything it inherits from. */
export function shapeOf(object: object): Shape {
  const shape = []
  for (let holder: object | null = object; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
    shape.push({ prototype: Object.getPrototypeOf(holder) as object | null, members: membersOf(holder) })
  }
  return shape
}

function membersOf(holder: object): ReadonlyMap<PropertyKey, readonly unknown[]> {
  return new Map(
    Reflect.ownKeys(holder).map((key) => {
      const descriptor = Object.getOwnPropertyDescriptor(holder, key) as PropertyDescriptor
      // State is the application's; functions are what a fault replaces.
      const value: unknown = typeof descriptor.value === 'function' ? descriptor.value : 'state'
      return [key, Object.values<unknown>({ ...descriptor, value })]
    }),
  )
}

/** The first difference between two shapes, in words, or `undefined`. */
export function shapeDifference(before: Shape, after: Shape): string | undefined {
  if (before.length !== after.length)
    return `the prototype chain has ${after.length} objects instead of ${before.length}`
  for (const [depth, { prototype, members }] of before.entries()) {
    const now = after[depth] as Shape[number]
    if (now.prototype !== prototype) return `the prototype at depth ${depth} is another object`
    for (const [key, attributes] of members) {
      const current = now.members.get(key)
      if (current === undefined) return `\`${String(key)}\` at depth ${depth} is gone`
      if (!attributes.every((attribute, index) => Object.is(attribute, current[index])))
        return `\`${String(key)}\` at depth ${depth} has changed`
    }
    for (const key of now.members.keys()) if (!members.has(key)) return `\`${String(key)}\` at depth ${depth} was added`
  }
  return undefined
}

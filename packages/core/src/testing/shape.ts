/** The comparable parts of an object and its prototypes: prototype, keys with attributes, and the identity of functions. */
export type Shape = readonly {
  readonly prototype: object | null
  readonly members: ReadonlyMap<PropertyKey, readonly unknown[]>
}[]

/** Returns the shape of an object and of all its prototypes. */
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
      // Only functions are compared: faults replace functions, and the application changes its own state.
      const value: unknown = typeof descriptor.value === 'function' ? descriptor.value : 'state'
      return [key, Object.values<unknown>({ ...descriptor, value })]
    }),
  )
}

/**
 * Describes the first difference between two shapes, or returns `undefined`.
 *
 * @param mayAdd Says of a key that is new whether the application may have added it. Default: none.
 */
export function shapeDifference(
  before: Shape,
  after: Shape,
  mayAdd: (key: PropertyKey) => boolean = () => false,
): string | undefined {
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
    for (const key of now.members.keys())
      if (!members.has(key) && !mayAdd(key)) return `\`${String(key)}\` at depth ${depth} was added`
  }
  return undefined
}

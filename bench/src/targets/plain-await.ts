export const isAsync = true

/** Nothing is called: what is measured is the `await` around it. */
export function make(): object {
  return {}
}

export function use(): (last: unknown) => unknown {
  return (last) => last
}

/**
 * Returns the function that an instrumentation wrapped before this package was loaded, so that what a fault asks for itself
 * makes no spans. The wrappers of OpenTelemetry and of `shimmer` name it.
 */
export function unwrapped<Wrapped extends (...args: never[]) => unknown>(wrapper: Wrapped): Wrapped {
  const { __original: original } = wrapper as Wrapped & { readonly __original?: unknown }
  return typeof original === 'function' ? unwrapped(original as Wrapped) : wrapper
}

/**
 * Whether a value is a function that can be asked for something, and no class: calling a class without `new` throws.
 * A class is recognised by its `prototype`, which cannot be replaced.
 */
export function isGetter(value: unknown): value is () => unknown {
  return typeof value === 'function' && Reflect.getOwnPropertyDescriptor(value, 'prototype')?.writable !== false
}

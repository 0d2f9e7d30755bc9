/**
 * Returns a module of Node.js itself, even if a test runner gave this package a mock of it, as `jest.mock('node:fs')` does.
 * Returns the imported module on Node.js before 20.16 and 22.3, which have no other way to it.
 */
export function builtin<Module extends object>(name: `node:${string}`, imported: Module): Module {
  const { getBuiltinModule } = process as { readonly getBuiltinModule?: (name: string) => Module | undefined }
  return getBuiltinModule?.(name) ?? imported
}

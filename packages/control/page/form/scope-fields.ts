import type { Field, FieldKind } from './fields.js'

/** A way to choose requests. Without a field, nothing is chosen: every call counts. */
export interface ScopeChoice {
  readonly value: string
  readonly label: string
  readonly field?: Field
}

const NAMES: FieldKind = { type: 'names', isList: false }

/** The ways to choose the requests that a fault may affect. */
export const SCOPE_CHOICES: readonly ScopeChoice[] = [
  { value: '', label: 'everything' },
  choice('scope', 'a scope', 'Id of a minted scope, or path of a scope.', { type: 'text', maxLength: 11_000 }),
  choice('route', 'route', 'Method and path, or globs such as GET /items/*. One per line.', NAMES),
  choice('user', 'user', 'Names or globs, one per line.', NAMES),
  choice('tenant', 'tenant', 'Names or globs, one per line.', NAMES),
  choice('sessions', 'share of sessions', 'Share of the sessions, 0 to 1.', {
    type: 'number',
    isWhole: false,
    min: 0,
    max: 1,
  }),
]

function choice(name: string, label: string, description: string, kind: FieldKind): ScopeChoice {
  return { value: name, label, field: { name, description, isRequired: true, default: undefined, kind } }
}

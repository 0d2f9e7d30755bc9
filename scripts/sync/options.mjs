// The table of a fault's options, from its catalog entry.
import { listed, table } from './text.mjs'

/** More values than a table shows: those of the presets, which have a page. */
const MANY = 8
const MAX_TIMER_MS = 2 ** 31 - 1

/** What a fault takes, as a table; `undefined` where it takes nothing. */
export function optionsTable({ info, options }) {
  if (options.length === 0) return undefined
  const rows = options.map((option) => [
    `\`${option.name}\``,
    typeAndDefault(option, info.options.properties?.[option.name]),
    meaning(option),
  ])
  return table(['option', 'type and default', 'meaning'], rows)
}

function typeAndDefault({ isInProcess, isRequired, default: fallback }, schema) {
  const type = schema === undefined && isInProcess ? 'in process only' : typeOf(schema ?? {})
  if (isRequired) return `${type}; required`
  return fallback === undefined ? type : `${type}; default ${shown(fallback)}`
}

/** A text as code, and anything else as JSON writes it. */
const shown = (value) => (typeof value === 'string' ? `\`${value}\`` : JSON.stringify(value))

/** The meaning of an option without what its type and default say already. */
function meaning({ description, default: fallback }) {
  const text = description.replace(/ In process only\.$/, '')
  return fallback === undefined ? text : text.replace(` Default: ${fallback}.`, '').replace(` Default ${fallback}.`, '')
}

function typeOf(schema) {
  if (schema.enum !== undefined) return enumOf(schema.enum)
  if (schema.anyOf !== undefined) return unionOf(schema.anyOf)
  switch (schema.type) {
    case 'integer':
      return `whole number${rangeOf(schema)}`
    case 'number':
      return schema.minimum === 0 && schema.maximum === MAX_TIMER_MS ? 'ms' : `number${rangeOf(schema)}`
    case 'string':
      return 'text'
    case 'boolean':
      return '`true` or `false`'
    case 'array':
      return 'list'
    case 'null':
      return '`null`'
    case 'object':
      return typeof schema.additionalProperties === 'object' && schema.maxProperties !== undefined
        ? 'values by field path'
        : 'object'
    default:
      return 'any value'
  }
}

const enumOf = (values) =>
  values.length > MANY
    ? '[preset](../../presets.md)'
    : listed(
        values.map((value) => shown(value)),
        'or',
      )

function unionOf(schemas) {
  const [one, many] = schemas
  const isNames =
    schemas.length === 2 && one.type === 'string' && many.type === 'array' && many.items?.type === 'string'
  return isNames ? 'name, glob or list of them' : listed(schemas.flatMap(partsOf), 'or')
}

const partsOf = (schema) => (schema.type === 'boolean' ? ['`true`', '`false`'] : [typeOf(schema)])

/** A bound that a number reaches in practice is named; the largest exact number and 0 for a count are none. */
function rangeOf({ minimum, maximum = Number.MAX_SAFE_INTEGER }) {
  if (maximum < Number.MAX_SAFE_INTEGER) return ` from ${minimum ?? '−∞'} to ${maximum}`
  return minimum === undefined || minimum <= 0 ? '' : ` from ${minimum}`
}

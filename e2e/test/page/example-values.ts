import type { FaultInfo } from '@chaos/core'

type Schema = Readonly<Record<string, unknown>>

/** A value for every option of a fault, as its JSON Schema allows it. */
export function exampleValues({ options }: FaultInfo): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries((options['properties'] ?? {}) as Readonly<Record<string, Schema>>).map(([name, schema]) => [
      name,
      exampleOf(schema),
    ]),
  )
}

function exampleOf(schema: Schema): unknown {
  const {
    type,
    enum: choices,
    anyOf,
    minimum,
  } = schema as {
    readonly type?: string
    readonly enum?: readonly unknown[]
    readonly anyOf?: readonly Schema[]
    readonly minimum?: number
  }
  if (choices !== undefined) return choices[choices.length - 1]
  if (anyOf?.some((one) => one['type'] === 'array') === true) return ['get*', "it's $HOME", '-v']
  if (anyOf !== undefined) return '7'
  switch (type) {
    case 'number':
      return schema['maximum'] === 1 ? 0.25 : (minimum ?? 0) + 0.5
    case 'integer':
      return (minimum ?? 0) + 1
    case 'boolean':
      return true
    case 'string':
      return `-- a "text" of one line, with 'quotes' and \\ and $HOME`
    case 'object':
      return { 'order.country': 'DE', 'order.items[0].count': 7, paid: true, coupon: null, text: '7' }
    case undefined:
      return { any: ['thing', 1, null] }
    default:
      throw new Error(`No example of type ${type}: add one, and look how the form shows it.`)
  }
}

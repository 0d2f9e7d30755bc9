import { isGlob } from '@chaos/core/authoring'
import { calledAt, type Hit } from '../search/model.js'
import { carrierOf, type KindInfo } from './kinds.js'

/** Prints hits as ordinary calls of `inject`, to paste into a test. They are in the order in which they have to be made. */
export function codeOf(hits: readonly Hit[], kinds: readonly KindInfo[]): string {
  return [...hits]
    .sort((one, other) => one.point.call - other.point.call)
    .map((hit) => callOf(hit, kinds))
    .join('\n')
}

function callOf(hit: Hit, kinds: readonly KindInfo[]): string {
  const { point, times } = hit
  const kind = kinds.find(({ target, name }) => target === point.target && name === hit.kind)
  const fault = kind === undefined ? `/* ${hit.kind} */` : faultCode(kind)
  const how = [
    ...(point.scope === '' ? [] : [`scope: ${quoted(point.scope)}`]),
    `only: ${needsFilter(hit, kind) ? filterCode(hit, kind) : quoted(point.operation)}`,
    ...(point.call > 1 ? [`skip: ${point.call - 1}`] : []),
  ]
  const target = targetCode(point.target)
  if (kind?.fault.kind !== 'instant')
    return `await inject(${fault}, ${target}, { ${[...how, ...(times === undefined ? ['limit: 1'] : [])].join(', ')} })`
  const carrier = carrierOf(calledAt(point), kinds) as KindInfo
  const begin = `onSeen: ({ call }) => call === ${point.call} && void inject(${fault}, ${target})`
  const place = how.filter((part) => !part.startsWith('skip:'))
  return `await inject(${faultCode(carrier)}, ${targetCode(calledAt(point))}, { ${[...place, 'rate: 0', begin].join(', ')} })`
}

/** The call of the fault's factory: `adapter/refuse-calls` is made by `refuseCalls`. */
function faultCode({ fault: { name, options, portable }, isDefault }: KindInfo): string {
  const factory = (name.split('/').at(-1) ?? name).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
  if (isDefault) return `${factory}()`
  const given = Object.entries(options).filter(([, value]) => value !== undefined && typeof value !== 'function')
  const text = given.map(([key, value]) => `${propertyCode(key)}: ${valueCode(value)}`).join(', ')
  const rest = portable ? '' : ' /* and the options that hold functions or objects */'
  return `${factory}(${text === '' ? '' : `{ ${text} }`}${rest})`
}

/** Whether names alone cannot say which calls are meant. */
function needsFilter({ point }: Hit, kind: KindInfo | undefined): boolean {
  return kind?.isKeyed === true || point.key !== undefined || point.scope === '' || isGlob(point.operation)
}

function filterCode({ point }: Hit, kind: KindInfo | undefined): string {
  const { scope, operation, key } = point
  const keyCode = key === undefined ? 'undefined' : quoted(key)
  return [
    `(args, operation) => operation === ${quoted(operation)}`,
    ...(scope === '' ? ['currentScope() === undefined'] : []),
    ...(kind?.isKeyed === true || key !== undefined
      ? [`keyOf(args, operation, ${quoted(calledAt(point))}) === ${keyCode}`]
      : []),
  ].join(' && ')
}

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/

function targetCode(name: string): string {
  return IDENTIFIER.test(name) ? name : `targets[${quoted(name)}]`
}
function propertyCode(name: string): string {
  return IDENTIFIER.test(name) ? name : quoted(name)
}
/** A value as JavaScript. JSON is, for data. */
function valueCode(value: unknown): string {
  return typeof value === 'string' ? quoted(value) : JSON.stringify(value)
}
function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/** Everything that can be told of an error from outside, as data; of its stack the first line, which is what a log shows. */
export interface ErrorDescription {
  readonly class: string
  readonly name: string
  readonly message: string
  readonly stackHead: string
  /** Own keys in order; those that a loop does not see in brackets. */
  readonly keys: readonly string[]
  /** What the own keys hold, but `stack`; `undefined` spelled out, since JSON has no word for it. */
  readonly values: Readonly<Record<string, unknown>>
}

/** Describes an error. Needs nothing around it: its source also runs in another process. */
export function describeError(error: Error): ErrorDescription {
  const keys = Reflect.ownKeys(error).map(String)
  return {
    class: error.constructor.name,
    name: error.name,
    message: error.message,
    stackHead: (error.stack ?? '').split('\n')[0] ?? '',
    keys: keys.map((key) => (Object.prototype.propertyIsEnumerable.call(error, key) ? key : `[${key}]`)),
    values: Object.fromEntries(
      keys
        .filter((key) => key !== 'stack')
        .map((key) => [
          key,
          Reflect.get(error, key) === undefined ? 'undefined' : (Reflect.get(error, key) as unknown),
        ]),
    ),
  }
}

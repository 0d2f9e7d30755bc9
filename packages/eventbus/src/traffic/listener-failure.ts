import { markInjected, option } from '@chaos/core/authoring'

/** How a listener fails: the options of every fault that makes one fail. */
export const failureOptions = {
  how: option.optional(
    option.oneOf(['throw', 'reject'], 'throw: the listener throws; reject: it is async, and its promise rejects.'),
    'throw',
  ),
  message: option.optional(option.text('The message of the error.'), 'The listener failed.'),
} as const

/** Makes the error, fresh each time. */
export const makeErrorOption = option.optional(
  option.func<() => Error>('Makes the error of each failure, instead of `message`.'),
)

/** Makes the error of one failure, marked as injected. What `makeError` throws is that error; where it makes something else, `message` is taken. */
export function failureOf(
  { message, makeError }: { readonly message: string; readonly makeError?: (() => unknown) | undefined },
  fault: string,
): Error {
  const made = errorOf(makeError)
  return markInjected(made instanceof Error ? made : new Error(message), fault)
}

function errorOf(makeError: (() => unknown) | undefined): unknown {
  try {
    return makeError?.()
  } catch (error) {
    return error
  }
}

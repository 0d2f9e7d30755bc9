import { isError, markInjected, option } from '@chaos/core/authoring'

/** How a listener fails: the options of every fault that makes listeners fail. */
export const failureOptions = {
  how: option.optional(
    option.oneOf(['throw', 'reject'], 'throw: the listener throws; reject: the promise of an async listener rejects.'),
    'throw',
  ),
  message: option.optional(option.text('The message of the error.'), 'The listener failed.'),
} as const

/** The option that makes a new error for each failure. */
export const makeErrorOption = option.optional(
  option.func<() => Error>('Makes the error of each failure, instead of `message`.'),
)

/**
 * Makes the error of one failure, marked as injected. If `makeError` throws an error, that error is used; if it returns
 * or throws anything else, `message` is used.
 */
export function failureOf(
  { message, makeError }: { readonly message: string; readonly makeError?: (() => unknown) | undefined },
  fault: string,
): Error {
  const made = errorOf(makeError)
  return markInjected(isError(made) ? made : new Error(message), fault)
}

function errorOf(makeError: (() => unknown) | undefined): unknown {
  try {
    return makeError?.()
  } catch (error) {
    return error
  }
}

/** The options by which the `chaos` command reaches the process: `['--pid', '4711']` or `['--url', 'http://…/chaos']`. */
export type Place = readonly string[]

/** A text to copy, or why there is none. */
export type Copied =
  | { readonly text: string; readonly note?: string | undefined }
  | { readonly problem: string; readonly text?: undefined }

/** What a command needs beside its text. */
export const noteOf = (place: Place): string | undefined =>
  place.includes('--url') && !place.includes('--token-file')
    ? 'Set CHAOS_TOKEN to the token of the endpoint.'
    : undefined

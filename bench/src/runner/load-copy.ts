/** The two sides of a comparison. */
export type Side = 'bare' | 'subject'

/**
 * Loads a module once more for one side: the same source compiled again, so that the two sides share no function, and with it no inline cache.
 *
 * @param path From `dist`, without its ending.
 */
export async function loadCopy(path: string, side: Side): Promise<unknown> {
  return import(new URL(`./${path}.js?${side}`, import.meta.url).href)
}

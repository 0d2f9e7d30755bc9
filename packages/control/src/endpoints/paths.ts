/** The path at which the API is mounted, unless the app says otherwise. */
export const BASE_PATH = '/chaos'

/**
 * The path of a request target below a base, without its query; `undefined` outside the base. The path is neither
 * decoded nor normalised, so encoded paths cannot enter or leave the base.
 */
export function pathBelow(base: string, url: string | undefined): string | undefined {
  // Every request of the app comes by here.
  if (url?.startsWith(base) !== true) return undefined
  const [path = ''] = url.split('?', 1)
  if (path === base) return '/'
  return path.startsWith(`${base}/`) ? path.slice(base.length) : undefined
}

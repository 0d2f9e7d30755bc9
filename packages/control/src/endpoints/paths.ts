/**
 * The path of a request target below a base, without its query; `undefined` outside the base. The path is neither
 * decoded nor normalised, so encoded paths cannot enter or leave the base.
 */
export function pathBelow(base: string, url: string | undefined): string | undefined {
  const [path = ''] = (url ?? '').split('?', 1)
  if (path === base) return '/'
  return path.startsWith(`${base}/`) ? path.slice(base.length) : undefined
}

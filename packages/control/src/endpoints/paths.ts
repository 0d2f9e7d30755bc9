/** The path of a request target below a base, without its query; `undefined` outside it. Nothing is decoded or normalised, so nothing can slip in or out. */
export function pathBelow(base: string, url: string | undefined): string | undefined {
  const [path = ''] = (url ?? '').split('?', 1)
  if (path === base) return '/'
  return path.startsWith(`${base}/`) ? path.slice(base.length) : undefined
}

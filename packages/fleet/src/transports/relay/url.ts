import { ChaosError } from '@chaos/core'

/**
 * Returns the path of the socket that a URL names: `fleet+unix:///run/shop/relay.sock`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if the URL names a host, or no absolute path.
 */
export function relayPathOf(url: string): string {
  const { host, pathname } = new URL(url)
  const path = decoded(pathname)
  // A path with two slashes only would be a host.
  if (host === '' && path !== undefined && path.startsWith('/') && path.length > 1 && !path.includes('\0')) return path
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    'Expected the URL of a relay to have the absolute path of its socket after three slashes, like `fleet+unix:///run/shop/relay.sock`.',
  )
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

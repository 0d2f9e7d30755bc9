/** The way of a reply from a service to its caller. */
export function reply(): Promise<void> {
  return Promise.resolve()
}

/** Labels of letters, digits, hyphens and underscores. */
const HOST_NAME = /^(?:[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?\.)*[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?$/i

/** Whether text is a host name. An address of IPv4 counts as one. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && HOST_NAME.test(text)
}

/** An address as it is compared, and as paths are put behind it. */
export const withoutSlash = (url: string): string => url.replace(/\/$/, '')

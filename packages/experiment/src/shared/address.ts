/** An address without a slash at its end: ready to be compared, or to take a path. */
export const withoutSlash = (url: string): string => url.replace(/\/$/, '')

/** An address without a trailing slash, for comparing or for appending a path. */
export const withoutSlash = (url: string): string => url.replace(/\/$/, '')

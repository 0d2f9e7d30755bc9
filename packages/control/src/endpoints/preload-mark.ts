/** The preload stores its controller under this symbol, which all copies of this module share. */
export const PRELOADED = Symbol.for('@chaos/control/register')

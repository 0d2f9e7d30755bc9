/** The preload stores its controller under this symbol, whichever copy of the module runs. */
export const PRELOADED = Symbol.for('@chaos/control/register')

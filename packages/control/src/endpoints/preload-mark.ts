/** Under this symbol the preload says that it is in this process, and which controller is its own, whichever copy of its module did it. */
export const PRELOADED = Symbol.for('@chaos/control/register')

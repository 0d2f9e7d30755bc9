import { originalOf, ownersOf } from '@chaos/core/authoring'

/** Where an emitter passes its events to listeners. */
export type DeliveryOf =
  /** In its own `emit`: at the seam of publishing. */
  | { readonly at: 'emit' }
  /** Below the override, in the `emit` that `override` inherits. */
  | { readonly at: 'super'; readonly override: object }
  /** In the override, which calls the listeners itself. */
  | { readonly at: 'listeners'; readonly override: object }

/**
 * Finds where an emitter delivers.
 *
 * A class that overrides `emit` and calls `super.emit` delivers below the override: publishing is counted as usual, and only
 * delivery breaks. A class whose code also asks for `listeners()`, or calls an object of its own that may do so, may call them
 * itself. A class that never calls the `emit` below, reads the private list of listeners, gives itself to another function, or may
 * call handlers of its own before `super.emit`, delivers somewhere in its own `emit`. So does an `emit` that was assigned to the instance, because the method that it wraps is unknown.
 */
export function deliveryOf(emitter: object): DeliveryOf {
  if (Object.hasOwn(emitter, 'emit')) return { at: 'emit' }
  // The last owner is the original emitter class; the owner before it is the nearest override.
  const overrides = ownersOf(emitter, 'emit').slice(0, -1)
  const override = overrides.at(-1)
  if (override === undefined) return { at: 'emit' }
  const emits = overrides.map((owner) => sourceOf(originalOf(owner, 'emit')))
  // Without its comments: words in them are no code.
  const code = overrides.map(codeOf).join('\n')
  const isBelowCalled = emits.every(callsBelow) || /\b(?:super|prototype)\s*\.\s*emit\b/.test(code)
  if (/\b_events\b/.test(code)) return { at: 'emit' }
  // Code elsewhere in the class may only count listeners, so it is no sign of how a class delivers that never calls `super.emit`.
  if (asksForListeners(isBelowCalled ? code : emits.join('\n'))) return { at: 'listeners', override }
  const called = overrides.flatMap((owner, at) => [emits[at] ?? '', ...helpersOf(owner, emits[at] ?? '')])
  if (!isBelowCalled || called.some((one) => callsHandlers(one) || handsItselfOn(one))) return { at: 'emit' }
  return { at: called.some(callsMember) ? 'listeners' : 'super', override }
}

/** Whether a method gives the bus to another function, which may deliver. To call a method below is no such thing. */
const handsItselfOn = (code: string): boolean =>
  /[(,]\s*this\s*[,)]/.test(
    code.replace(/\.\s*(?:call|apply|bind)\s*\(\s*this\b/g, '').replace(/\bemit\s*,\s*this\b/g, ''),
  )

/** Whether a method calls an object that the bus has, which may ask the bus for its listeners. */
const callsMember = (code: string): boolean =>
  /\bthis\s*(?:\?\.|\.)\s*#?[\w$]+\s*(?:\?\.|\.)\s*(?!(?:call|apply|bind)\b)[\w$]+\s*\(/.test(code)

const asksForListeners = (code: string): boolean =>
  /\b(?:rawListeners|listeners)['"`]?\]?\s*(?:\?\.|\.\s*(?:call|apply|bind)\b)?\s*\(/.test(code)

/**
 * Whether a method may call handlers that the bus keeps itself, such as those of a `Map`: it calls what it goes through in a loop, or
 * what it looked up.
 */
const callsHandlers = (code: string): boolean =>
  LOOPED.some((loop) => [...code.matchAll(loop)].some(([, name = '']) => isCalled(name, code))) ||
  /[)\]]\s*(?:\?\.|\.\s*(?:call|apply)\b)?\s*\((?!\s*\{)/.test(code.replace(/^[^{]*/, '').replace(KEYWORD_HEAD, ' '))

/** The last name that a loop, or the function given to `forEach` and its like, has for what it goes through. */
const LOOPED: readonly RegExp[] = [
  /\bfor\s*(?:await\s*)?\(\s*(?:const|let|var)\s+[[{]?(?:[^)]*?[\s,:])??([\w$]+)\s*[\]}]?\s+of\b/g,
  /\.\s*(?:forEach|map|some|every|reduce)\s*\(\s*(?:async\s*)?(?:function\b[^(]*)?\(?(?:[^()=]*,\s*)?([\w$]+)/g,
]

function isCalled(name: string, code: string): boolean {
  return code.split(name).some((before, at, parts) => {
    const after = parts[at + 1]
    return after !== undefined && !/[\w$.#]$/.test(before) && /^\s*(?:\?\.\s*|\.\s*(?:call|apply)\s*)?\(/.test(after)
  })
}

/** The head of a statement, whose parenthesis may be followed by another. */
const KEYWORD_HEAD = /\b(?:if|switch|catch)\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)/g

/** The code of the methods that an `emit` calls on its own object. */
function helpersOf(owner: object, emit: string): string[] {
  const names = [...emit.matchAll(/\bthis\s*\.\s*([\w$]+)\s*\(/g)].map(([, name = '']) => name)
  const helpers = names.map((name) => sourceOf(Object.getOwnPropertyDescriptor(owner, name)?.value))
  // A private method is found only in the source of its class.
  return /\bthis\s*\.\s*#/.test(emit) ? [...helpers, codeOf(owner)] : helpers
}

/**
 * Whether a method returns a promise, so that callers may await it. A method that is no `async` function, and mentions no
 * promise, returns none.
 */
export function returnsPromise(object: object, method: string): boolean {
  return /^async\b|\bPromise\b|\b__awaiter\b/.test(sourceOf(originalOf(object, method)))
}

/** Whether the code of an `emit` may call another `emit`. Native code, such as a bound function, may. */
const callsBelow = (code: string): boolean =>
  /\bsuper\b|_super|\bprototype\b|\bReflect\b|\[native code\]|\bemit\s*(?:\.|\]|\)|,|;|\?\.)/i.test(code)

/** All code of a class: its source, and functions that were added to its prototype. */
function codeOf(owner: object): string {
  const members = Object.values(Object.getOwnPropertyDescriptors(owner)).flatMap((member) =>
    ['value', 'get', 'set'].map((part): unknown => Reflect.get(member, part)),
  )
  return members.map(sourceOf).join('\n')
}

/** Strings are matched too, so that the `//` of an address in one starts no comment. */
const COMMENT_OR_STRING = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\/\*[\s\S]*?\*\/|\/\/.*$/gm

/** The code of functions that were read before: a fault may be injected often. */
const known = new WeakMap<object, string>()

function sourceOf(member: unknown): string {
  if (typeof member !== 'function') return ''
  let code = known.get(member)
  if (code === undefined) {
    const source = Function.prototype.toString.call(member)
    code = source.replace(COMMENT_OR_STRING, (found) => (found.startsWith('/') ? '' : found))
    known.set(member, code)
  }
  return code
}

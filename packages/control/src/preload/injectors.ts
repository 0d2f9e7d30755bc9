import type { Targets } from '@chaos/core'
import type { FaultFactoryFor } from '@chaos/core/authoring'
import { installedPackages } from '../index.js'

/** The targets and faults that an injector offers in an app without chaos code. */
export interface Offer {
  readonly targets: Targets
  /** Faults that are offered on every target that accepts them, whichever injector registers the target. */
  readonly faults: readonly FaultFactoryFor<object>[]
  /** Opens scopes for what reaches the app, such as requests, for as long as the process lives, as environment variables say. */
  readonly scopes?: ((env: NodeJS.ProcessEnv) => Promise<unknown>) | undefined
}

/** A package that registers targets in an app without chaos code. */
export interface Injector {
  readonly name: string
  /**
   * Loads the package and calls its `targets()`: synchronously if it can be required, otherwise asynchronously.
   *
   * @throws The error of loading the package or of `targets()`.
   */
  readonly load: () => Offer | Promise<Offer>
}

/** The injectors among an app's dependencies: packages with `"chaos": { "register": "./register" }` in package.json. */
export function injectorsOf(folder: string): readonly Injector[] {
  return installedPackages(folder).packages.flatMap(({ name, chaos, load }): Injector[] => {
    const subpath = chaos['register']
    return typeof subpath === 'string' && subpath.startsWith('./')
      ? [{ name, load: () => offerOf(load(subpath), `${name}${subpath.slice(1)}`) }]
      : []
  })
}

function offerOf(module: object | Promise<object>, specifier: string): Offer | Promise<Offer> {
  return module instanceof Promise ? module.then((late) => called(late, specifier)) : called(module, specifier)
}

function called(module: object, specifier: string): Offer | Promise<Offer> {
  const { targets, faults = [], scopes } = module as Partial<Omit<Offer, 'targets'>> & { readonly targets?: unknown }
  if (typeof targets !== 'function')
    throw new TypeError(`${specifier} must export a function \`targets\`, but exports ${typeof targets}.`)
  const offered = (targets as () => Targets | Promise<Targets>)()
  return offered instanceof Promise
    ? offered.then((late) => ({ targets: late, faults, scopes }))
    : { targets: offered, faults, scopes }
}

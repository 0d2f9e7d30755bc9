import { Session, type Debugger, type Runtime } from 'node:inspector'

/** Where the code of our packages lies, as script addresses name it. */
const PACKAGES = /\/packages\/(?:core|worker|eventbus|adapter)\/(?:dist|src)\//

/** Tells functions that our packages made from all others, whatever their names: V8 knows in which script each one stands. */
export class OurFunctions {
  readonly #session = new Session()
  readonly #urls = new Map<string, string>()
  readonly #known = new WeakMap<object, boolean>()

  constructor() {
    this.#session.connect()
    this.#session.on('Debugger.scriptParsed', ({ params }: { readonly params: Debugger.ScriptParsedEventDataType }) =>
      this.#urls.set(params.scriptId, params.url),
    )
    this.#session.post('Debugger.enable')
  }

  /** Whether a function, or the one that it binds, stands in one of our packages. */
  has(fn: object): boolean {
    let isOurs = this.#known.get(fn)
    if (isOurs === undefined) this.#known.set(fn, (isOurs = PACKAGES.test(this.#scriptOf(fn))))
    return isOurs
  }

  close(): void {
    this.#session.disconnect()
  }

  #scriptOf(fn: object): string {
    Reflect.set(globalThis, HERE, fn)
    try {
      let objectId = this.#post('Runtime.evaluate', { expression: `globalThis.${HERE}` }).result.objectId
      while (objectId !== undefined) {
        const { internalProperties = [] } = this.#post('Runtime.getProperties', { objectId, ownProperties: true })
        const value = (name: string): Runtime.RemoteObject | undefined =>
          internalProperties.find((property) => property.name === name)?.value
        const location = value('[[FunctionLocation]]')?.value as { readonly scriptId: string } | undefined
        if (location !== undefined) return this.#urls.get(location.scriptId) ?? ''
        objectId = value('[[TargetFunction]]')?.objectId
      }
      return ''
    } finally {
      this.#post('Runtime.releaseObjectGroup', { objectGroup: '' })
      Reflect.deleteProperty(globalThis, HERE)
    }
  }

  #post(method: 'Runtime.evaluate', params: Runtime.EvaluateParameterType): Runtime.EvaluateReturnType
  #post(method: 'Runtime.getProperties', params: Runtime.GetPropertiesParameterType): Runtime.GetPropertiesReturnType
  #post(method: 'Runtime.releaseObjectGroup', params: Runtime.ReleaseObjectGroupParameterType): undefined
  #post(method: string, params: object): unknown {
    let answer: unknown
    this.#session.post(method, params, (error, result) => {
      if (error !== null) throw error
      answer = result
    })
    return answer
  }
}

const HERE = '__functionInQuestion'

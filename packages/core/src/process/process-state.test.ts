import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { processState } from './process-state.js'

const run = promisify(execFile)

describe('the state of the process', () => {
  it("is shared by the ESM and the CommonJS copy of core: stop all ends both copies' faults, marks and patches are known to both", async () => {
    const script = `
      import { createRequire } from 'node:module'
      import assert from 'node:assert/strict'
      import * as user from '@chaos/core'
      import * as author from '@chaos/core/authoring'
      const require = createRequire(import.meta.url)
      const [esm, cjs] = [{ ...user, ...author }, { ...require('@chaos/core'), ...require('@chaos/core/authoring') }]
      assert.notEqual(esm.inject, cjs.inject)
      const fault = ({ defineFault }, letter) => defineFault({ name: 'test/add-letter', kind: 'standing', summary: '', options: {}, target: { expects: '', accepts: () => true },
        inject: (object, _options, context) => context.patch(object, 'run', (below) => () => below.call() + letter) })()
      class Target { run() { return '' } }
      const object = new Target()
      const a = await esm.inject(fault(esm, 'a'), object)
      await cjs.inject(fault(cjs, 'b'), object)
      assert.equal(object.run(), 'ab')
      await a.rollback()
      assert.equal(object.run(), 'b')
      const chaos = cjs.createChaos({ environment: 'test' })
      assert.deepEqual(esm.registeredControllers(), [chaos.controller])
      await esm.createChaos({ environment: 'test' }).stopAll()
      assert.equal(Object.getPrototypeOf(object), Target.prototype)
      assert.equal(esm.injectedBy(cjs.markInjected(new Error(), 'x')), 'x')
      assert.ok(esm.isChaosError(new cjs.ChaosError('CHAOS_TEST', '')))
      console.log('shared')
    `
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: new URL('..', import.meta.url),
    })
    expect(stdout.trim()).toBe('shared')
  })

  it('refuses a copy of core that uses another protocol', () => {
    const key = Symbol.for('@chaos/core')
    const before = processState()
    onTestFinished(() => void Object.defineProperty(globalThis, key, { value: before, configurable: true }))
    Object.defineProperty(globalThis, key, { value: { ...before, protocol: 99 }, configurable: true })
    expect(() => processState()).toThrow(expect.objectContaining({ code: 'CHAOS_CORE_CONFLICT' }))
  })
})

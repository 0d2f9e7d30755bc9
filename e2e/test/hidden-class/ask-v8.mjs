// Prints what V8 says of objects that had a fault: run it with --allow-natives-syntax.
import { inject } from '@chaos/core'
import { defineFault } from '@chaos/core/authoring'
import assert from 'node:assert'

const isFast = new Function('object', 'return %HasFastProperties(object)')
const areAlike = new Function('one', 'other', 'return %HaveSameMap(one, other)')

const cover = defineFault({
  name: 'test/cover-calls',
  kind: 'standing',
  summary: '',
  options: {},
  target: { expects: 'an object', accepts: () => true },
  inject(target, _options, context) {
    context.patch(
      target,
      'get',
      (below) =>
        function get(...args) {
          return below.call.apply(this, args)
        },
    )
  },
})

class Store {
  rows = 1
  get() {
    return this.rows
  }
}

const seen = {}

/** Puts a fault on a fresh target and takes it off; asks meanwhile and afterwards, beside a sibling that is treated alike. */
async function ask(name, { make = () => new Store(), meanwhile = () => {}, afterwards = () => {} } = {}) {
  const [target, sibling] = [make(), make()]
  const fault = await inject(cover(), target)
  meanwhile(target)
  meanwhile(sibling)
  const equalsInForce = isEqual(target, sibling)
  await fault.rollback()
  afterwards(target)
  afterwards(sibling)
  seen[name] = { alike: areAlike(target, sibling), fast: isFast(target) === isFast(sibling), equalsInForce }
  assert.strictEqual(Object.getPrototypeOf(target), Object.getPrototypeOf(sibling))
  assert.deepStrictEqual(target, sibling)
}

function isEqual(one, other) {
  try {
    assert.deepStrictEqual(one, other)
    return true
  } catch {
    return false
  }
}

const grow = (object) => {
  object.late = 1
  object.late = 1.5
}
await ask('untouched')
await ask('a key added in force, from integer to fraction', { meanwhile: grow })
await ask('a key added after, from integer to fraction', { afterwards: grow })
await ask('a key added after, a fraction from the start', { afterwards: (object) => (object.late = 1.5) })
await ask('a key that was there, from integer to fraction', { afterwards: (object) => (object.rows = 1.5) })
await ask('frozen after', { afterwards: Object.freeze })
class Sub extends Store {}
await ask('a subclass, a key from integer to fraction', { make: () => new Sub(), afterwards: grow })
const get = () => 1
await ask('an own member', { make: () => ({ get }), afterwards: grow })
console.log(JSON.stringify(seen))

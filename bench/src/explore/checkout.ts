import assert from 'node:assert/strict'

type Call = (order: string) => Promise<string>

/** The services of a checkout: eight calls in health, more under faults. */
export interface Services {
  readonly carts: { readonly read: Call }
  readonly stock: { readonly reserve: Call; readonly release: Call }
  readonly payments: { readonly charge: Call; readonly charges: string[] }
  readonly orders: { readonly put: Call }
  readonly mail: { readonly send: Call }
  readonly log: { readonly write: Call }
}

const TRIES = 3
const answer: Call = async (order) => Promise.resolve(order)

/** Makes new services. */
export function services(): Services {
  const charges: string[] = []
  return {
    carts: { read: answer },
    stock: { reserve: answer, release: answer },
    payments: { charges, charge: async (order) => Promise.resolve((charges.push(order), order)) },
    orders: { put: answer },
    mail: { send: answer },
    log: { write: answer },
  }
}

/** Tries a call again when it fails. Without a key, a lost reply makes it happen twice: the bug of this checkout. */
async function persistent(call: () => Promise<string>): Promise<string> {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await call()
    } catch (error) {
      if (left === 0) throw error
    }
  }
}

const ignored = (call: Promise<string>): Promise<unknown> => call.catch(() => undefined)

/** Checks out one order, and asserts that it is charged once at most. */
export async function checkout({ carts, stock, payments, orders, mail, log }: Services): Promise<void> {
  const order = 'order 7'
  try {
    await persistent(() => carts.read(order))
    await ignored(log.write(order))
    await stock.reserve(order)
    try {
      await persistent(() => payments.charge(order))
      await persistent(() => orders.put(order))
    } catch {
      await ignored(stock.release(order))
      await ignored(log.write(order))
      return
    }
    await ignored(mail.send(order))
    await ignored(log.write(order))
    await ignored(log.write(order))
  } catch {
    await ignored(log.write(order))
  } finally {
    assert.ok(payments.charges.length <= 1, `charged ${payments.charges.length} times`)
  }
}

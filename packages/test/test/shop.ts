import assert from 'node:assert/strict'

/** A shop that charges an order and confirms it, with retries. */
export interface Shop {
  readonly payments: { charge(order: string, key: string): Promise<void> }
  readonly stock: { reserve(order: string): Promise<void>; release(order: string): Promise<void> }
  readonly charges: string[]
  order(id: string): Promise<'confirmed' | 'declined'>
}

/** @param isIdempotent Whether the payment service knows a key that it has seen. */
export function makeShop({ isIdempotent }: { readonly isIdempotent: boolean }): Shop {
  const charges: string[] = []
  const keys = new Set<string>()
  const payments = {
    async charge(order: string, key: string): Promise<void> {
      await Promise.resolve()
      if (!isIdempotent || !keys.has(key)) charges.push(order)
      keys.add(key)
    },
  }
  const reserved = new Set<string>()
  const stock = {
    async reserve(order: string): Promise<void> {
      await Promise.resolve(reserved.add(order))
    },
    async release(order: string): Promise<void> {
      await Promise.resolve(reserved.delete(order))
    },
  }
  return {
    payments,
    stock,
    charges,
    async order(id) {
      try {
        await stock.reserve(id)
      } catch {
        return 'declined'
      }
      for (let tries = 1; ; tries += 1) {
        try {
          await payments.charge(id, id)
          return 'confirmed'
        } catch {
          if (tries < 3) continue
          await stock.release(id).catch(() => undefined)
          return 'declined'
        }
      }
    },
  }
}

/** An order is charged once at most, and once if it is confirmed. */
export async function orderIsChargedOnce(shop: Shop): Promise<void> {
  const answer = await shop.order('7')
  assert.ok(shop.charges.length <= 1, `charged ${shop.charges.length} times`)
  if (answer === 'confirmed') assert.equal(shop.charges.length, 1)
}

import type { Fault } from '@chaos/core'

interface Store {
  read: () => Promise<string>
}
export const store: () => Store
export const markReads: (options: { readonly mark: string }) => Fault<Store>

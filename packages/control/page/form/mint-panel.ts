import type { MintedScope } from '../data/types.js'
import { button, el, setText } from '../view/dom.js'

/**
 * The part of the form that mints a scope, and shows the header that puts a request into it. The header is kept nowhere
 * else: whoever loads the page again mints another.
 */
export function mintPanel(mint: () => Promise<MintedScope>, onMinted: (id: string) => void): HTMLElement {
  const said = el('p', { class: 'outcome', role: 'status' })
  const minted = el('div', { class: 'minted' })
  const minting = button('Mint a scope', () => void press())

  async function press(): Promise<void> {
    minting.disabled = true
    try {
      const { id, header, expiresAt } = await mint()
      minted.replaceChildren(
        el('p', {}, 'Requests with this header are in the scope:'),
        copyable('Header of the scope', `baggage: ${header}`),
        copyable('Request in the scope', `curl -H 'baggage: ${header}' "$APP_URL"`),
      )
      setText(said, `Minted ${id}. It counts until ${new Date(expiresAt).toISOString()}.`)
      onMinted(id)
    } catch (error) {
      setText(said, `Not minted: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      minting.disabled = false
    }
  }
  return el('div', {}, minting, said, minted)
}

/** A text to copy, which the keyboard can reach and scroll. */
const copyable = (label: string, text: string): HTMLElement =>
  el('pre', { tabindex: 0, role: 'region', 'aria-label': label }, text)

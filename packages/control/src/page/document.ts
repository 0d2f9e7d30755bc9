import type { ServerResponse } from 'node:http'
import { html, textOf, type Html } from './html.js'

/** Nothing comes from elsewhere, nothing runs but `page.js`, and no other page may show this one in a frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Headers of every answer of the page. */
export const PAGE_HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  // With `no-referrer`, browsers send forms with `Origin: null`. `same-origin` tells no other server anything either.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** A whole document. */
export interface Document {
  readonly title: string
  readonly head?: Html
  readonly body: Html
  /** From the path of the request to the base path: `../../` for `/injections/1/stop`. Default `./`. */
  readonly base?: string
}

/** Sends a document. */
export function sendDocument(
  res: ServerResponse,
  status: number,
  { title, head, body, base = './' }: Document,
  headers: Readonly<Record<string, string>> = {},
): void {
  const whole = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="${base}page.css" />
        ${head}
      </head>
      <body>
        ${body}
      </body>
    </html> `
  const text = textOf(whole)
  res
    .writeHead(status, {
      ...PAGE_HEADERS,
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-length': Buffer.byteLength(text),
      ...headers,
    })
    .end(text)
}

import type { Document } from './document.js'
import { html } from './html.js'

/**
 * The form that asks for the token.
 *
 * @param name The name of the app.
 * @param failure Why the browser has to sign in (again).
 */
export const signInView = (name: string, failure: string | undefined, base = './'): Document => ({
  title: `Sign in – chaos in ${name}`,
  base,
  body: html`<main id="chaos-sign-in">
    <h1>Chaos in ${name}</h1>
    ${failure === undefined ? undefined : html`<p role="alert">${failure}</p>`}
    <form method="post" action="${base}sign-in">
      <input type="text" name="name" value="${name}" autocomplete="username" hidden />
      <label for="token">Token of the endpoint</label>
      <input id="token" name="token" type="password" autocomplete="current-password" required autofocus />
      <button type="submit" class="primary">Sign in</button>
    </form>
    <p>
      The token is the <code>token</code> that the app passes to <code>mountEndpoint</code> or
      <code>createHandler</code>. For a process with a control socket, run <code>chaos ui</code>: it needs no token.
    </p>
  </main>`,
})

/** A page that says why a request failed. */
export const failureView = (name: string, failure: string, base: string): Document => ({
  title: `Failed – chaos in ${name}`,
  base,
  body: html`<main id="chaos-failure">
    <h1>The request failed</h1>
    <p role="alert">${failure}</p>
    <p><a href="${base}">Back to the page</a></p>
  </main>`,
})

/**
 * A page that goes on to the page proper. A browser sends a `SameSite=Strict` cookie only if the page that it comes from
 * is of the same site, so a link elsewhere leads here first.
 */
export const passView = (name: string): Document => ({
  title: `Chaos in ${name}`,
  head: html`<meta http-equiv="refresh" content="0; url=sign-in" />`,
  body: html`<main><p><a href="sign-in">Go on to the page</a></p></main>`,
})

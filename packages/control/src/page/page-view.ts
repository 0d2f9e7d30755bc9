import type { ControllerInfo, FaultInfo, InjectionState, TargetInfo } from '@chaos/core'
import type { Document } from './document.js'
import { html, type Html } from './html.js'
import { csrfField, injectionsView } from './injections-view.js'
import type { Outcome, Session } from './sessions.js'

/** The process that a page is about. */
export interface About {
  readonly name: string
  /** Unknown for some processes that are reached through another one. */
  readonly pid: number | undefined
  /** The options by which the `chaos` command reaches the process: `['--pid', '4711']`. Empty: `--url` of the page. */
  readonly commandOptions: readonly string[]
}

/** What a page shows. */
export interface Shown {
  readonly about: About
  readonly info: ControllerInfo
  readonly targets: readonly TargetInfo[]
  readonly faults: readonly FaultInfo[]
  readonly injections: readonly InjectionState[]
}

/** The most targets, and the most faults of each, that the page lists without its script. */
const MAX_TARGETS = 200
const MAX_FAULTS = 100

/** The page for people, whole without its script. The script takes over the regions with an id. */
export function pageView(shown: Shown, { csrf, outcome }: Pick<Session, 'csrf' | 'outcome'>): Document {
  const { about, info, injections } = shown
  const inForce = injections.filter(({ status }) => status !== 'ended').length
  return {
    title: `${inForce} in force – chaos in ${about.name}`,
    head: html`<meta name="chaos-csrf" content="${csrf}" />
      <meta name="chaos-name" content="${about.name}" />
      <meta name="chaos-pid" content="${about.pid}" />
      <meta name="chaos-command-options" content="${JSON.stringify(about.commandOptions)}" />
      <script src="page.js" defer></script>`,
    body: html`<header id="chaos-header">
        <h1>Chaos in ${about.name}</h1>
        <dl>
          <dt>Process</dt>
          <dd>${about.pid ?? 'unknown'}</dd>
          <dt>Environment</dt>
          <dd>${info.environment ?? 'unknown'}</dd>
          <dt>Faults in force</dt>
          <dd>${inForce}</dd>
        </dl>
        <form method="post" action="stop-all">
          ${csrfField(csrf)}
          <button type="submit" accesskey="s">STOP ALL</button>
        </form>
        <form method="post" action="sign-out">
          ${csrfField(csrf)}
          <button type="submit">Sign out</button>
        </form>
        ${info.refusal === undefined ? undefined : html`<p role="note">New faults are refused: ${info.refusal}</p>`}
      </header>
      <output id="chaos-status" aria-live="polite">${outcome === undefined ? undefined : outcomeView(outcome)}</output>
      <nav id="chaos-targets" aria-label="Targets">
        <h2>Targets</h2>
        ${targetsView(shown)}
      </nav>
      <main id="chaos-injections">
        <h2>Injections</h2>
        ${injectionsView(injections, csrf)}
      </main>
      <aside id="chaos-form" aria-label="Inject a fault">
        <noscript><p>To inject from this page, switch on JavaScript, or use the <code>chaos</code> command.</p></noscript>
      </aside>
      <section id="chaos-timeline" aria-label="Timeline">
        <noscript><p>The timeline needs JavaScript. <a href="./">Load the page again</a> to see what is new.</p></noscript>
      </section>`,
  }
}

/** The page after everything was stopped where chaos is off meanwhile: from then on, the endpoint is hidden. */
export const lastView = (about: About, outcome: Outcome, base: string): Document => ({
  title: `Stopped – chaos in ${about.name}`,
  base,
  body: html`<main>
    <h1>Chaos in ${about.name}</h1>
    <output id="chaos-status">${outcomeView(outcome)}</output>
    <p>Chaos is switched off in this process. Once nothing is in force, this page is no longer served.</p>
    <p><a href="${base}">Back to the page</a></p>
  </main>`,
})

function outcomeView({ failed, text, details }: Outcome): Html {
  return html`<p ${failed ? html`role="alert"` : undefined}>${text}</p>
    ${
      details.length === 0
        ? undefined
        : html`<ul>
          ${details.map((detail) => html`<li>${detail}</li>`)}
        </ul>`
    }`
}

function targetsView({ targets, faults }: Shown): Html {
  if (targets.length === 0) return html`<p>The process has no targets.</p>`
  const summaries = new Map(faults.map(({ name, summary }) => [name, summary]))
  return html`<ul>
      ${targets.slice(0, MAX_TARGETS).map(
        (target) =>
          html`<li>
            <h3>${target.name}</h3>
            <ul>
              ${target.faults
                .slice(0, MAX_FAULTS)
                .map((name) => html`<li><code>${name}</code> ${summaries.get(name) ?? ''}</li>`)}
            </ul>
            ${more(target.faults.length - MAX_FAULTS)}
          </li>`,
      )}
    </ul>
    ${more(targets.length - MAX_TARGETS)}`
}

/** What is said of entries that a list leaves out. */
const more = (count: number): Html | undefined => (count > 0 ? html`<p>and ${count} more</p>` : undefined)

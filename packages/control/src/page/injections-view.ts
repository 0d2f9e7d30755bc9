import type { InjectionState } from '@chaos/core'
import { html, type Html } from './html.js'

/** The most injections of each table. The newest ones are shown. */
const MAX_LIVE = 200
const MAX_ENDED = 20
/** The latest time that a `Date` can represent, in ms since the epoch. */
const MAX_DATE_MS = 8_640_000_000_000_000

/** The tables of injections in force, and of those that ended last. */
export function injectionsView(injections: readonly InjectionState[], csrf: string): Html {
  const live = injections.filter(({ status }) => status !== 'ended')
  const ended = injections.filter(({ status }) => status === 'ended')
  return html`${
    live.length === 0
      ? html`<p>Nothing is in force.</p>`
      : table(
          `In force${cutNote(live.length, MAX_LIVE)}`,
          ['Ends at', 'Stop'],
          live.slice(-MAX_LIVE).map((state) => liveRow(state, csrf)),
        )
  }
    ${
      ended.length === 0
        ? undefined
        : table(
            `Ended${cutNote(ended.length, MAX_ENDED)}`,
            ['Ended at', 'Outcome'],
            ended.slice(-MAX_ENDED).map(endedRow),
          )
    }`
}

/** A table of injections. `end` and `last` name the columns in which live and ended ones differ. */
function table(caption: string, [end, last]: readonly [string, string], rows: readonly Html[]): Html {
  const columns = ['Fault', 'Target', 'Since', end, 'Affected of seen', last]
  return html`<table>
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        ${columns.map((column) => html`<th scope="col">${column}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

function liveRow(state: InjectionState, csrf: string): Html {
  return html`<tr>
    ${cells(state, state.leaseEndsAt)}
    <td>
      <form method="post" action="injections/${encodedId(state.id)}/stop">
        ${csrfField(csrf)}
        <button type="submit" aria-label="Stop ${state.id}">Stop</button>
      </form>
    </td>
  </tr>`
}

function endedRow(state: InjectionState): Html {
  const failures = state.failures.length === 0 ? '' : `: ${state.failures.join('; ')}`
  return html`<tr>
    ${cells(state, state.endedAt)}
    <td>${state.outcome ?? ''}${failures}</td>
  </tr>`
}

function cells({ id, fault, target, armedAt, affected, seen }: InjectionState, endsAt: number | undefined): Html {
  return html`<th scope="row"><code>${fault}</code> <small>${id}</small></th>
    <td>${target}</td>
    <td>${timeView(armedAt)}</td>
    <td>${timeView(endsAt)}</td>
    <td>${affected} of ${seen}</td>`
}

function timeView(at: number | undefined): Html {
  if (typeof at !== 'number' || !(Math.abs(at) <= MAX_DATE_MS)) return html`unknown`
  const iso = new Date(at).toISOString()
  return html`<time datetime="${iso}">${iso.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}</time>`
}

/** What makes a form one of this page. */
export const csrfField = (csrf: string): Html => html`<input type="hidden" name="csrf" value="${csrf}" />`

/** An id as a segment of a path. A lone surrogate, which no URL can carry, becomes a replacement character. */
const encodedId = (id: string): string => encodeURIComponent(id.replace(/\p{Cs}/gu, '\ufffd'))

const cutNote = (count: number, max: number): string => (count > max ? ` (the newest ${max} of ${count})` : '')

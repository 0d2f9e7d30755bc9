import { printable } from '@chaos/core/authoring'

/** The most evidence that is kept of one instance, and the most characters of it as JSON. */
const MAX_EVIDENCE = 100
const MAX_EVIDENCE_TEXT = 4_096
/** The deepest nesting of evidence. Reports walk through it. */
const MAX_DEPTH = 10
/** The longest name or value of a label, and the most characters of all labels of an instance. */
const MAX_LABEL = 200
const MAX_LABELS_TEXT = 1_000

/**
 * Keeps the latest evidence of an instance that fits. An agent is another process, and may say anything. An agent of ours keeps
 * to these bounds by itself.
 */
export function boundedEvidence(
  given: readonly Readonly<Record<string, unknown>>[],
): readonly Readonly<Record<string, unknown>>[] {
  const kept: Readonly<Record<string, unknown>>[] = []
  let size = 0
  for (const one of given.slice(-MAX_EVIDENCE).reverse()) {
    if (!isShallow(one, MAX_DEPTH)) continue
    size += JSON.stringify(one).length
    if (size > MAX_EVIDENCE_TEXT) break
    kept.unshift(one)
  }
  return kept
}

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((one) => isShallow(one, depth - 1))
}

/** Keeps the first labels of an instance that fit, made printable. */
export function boundedLabels(given: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const kept: [string, string][] = []
  let size = 0
  for (const pair of Object.entries(given)) {
    const [name, value] = pair.map((text) => printable(text, { max: MAX_LABEL })) as [string, string]
    size += name.length + value.length
    if (size > MAX_LABELS_TEXT) break
    kept.push([name, value])
  }
  return Object.fromEntries(kept)
}

import type { AlertMatcher } from './experiment.js'

interface Named {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** Whether an alert is meant by a name, or by a name and labels. It may have more labels. */
export function isMeant({ name, labels }: Named, matcher: AlertMatcher): boolean {
  if (typeof matcher === 'string') return name === matcher
  return (
    name === matcher.name && Object.entries(matcher.labels ?? {}).every(([label, value]) => labels[label] === value)
  )
}

/** Tells one series of an alert from another. */
export function seriesOf({ name, labels }: Named): string {
  return JSON.stringify([name, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))])
}

import type { AlertMatcher } from './experiment.js'

interface Named {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** Whether an alert matches a name, or a name and labels. The alert may have further labels. */
export function isMeant({ name, labels }: Named, matcher: AlertMatcher): boolean {
  if (typeof matcher === 'string') return name === matcher
  return (
    name === matcher.name && Object.entries(matcher.labels ?? {}).every(([label, value]) => labels[label] === value)
  )
}

/** A key that is equal for equal name and labels. */
export function seriesOf({ name, labels }: Named): string {
  return JSON.stringify([name, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))])
}

import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { compile, durationMs, type Expression } from './promql.js'

/** An alerting rule of a rule file. */
export interface Rule {
  readonly group: string
  readonly file: string
  /** The evaluation interval, in ms. */
  readonly intervalMs: number
  readonly name: string
  readonly query: string
  readonly expression: Expression
  readonly forMs: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

interface RuleFile {
  readonly groups: readonly {
    readonly name: string
    readonly interval?: string
    readonly rules: readonly {
      readonly alert: string
      readonly expr: string
      readonly for?: string
      readonly labels?: Record<string, string>
      readonly annotations?: Record<string, string>
    }[]
  }[]
}

/** Reads rule files in Prometheus format. @throws SyntaxError when a query is invalid or unsupported */
export function loadRules(files: readonly string[], defaultIntervalMs: number): readonly Rule[] {
  return files.flatMap((file) =>
    (parse(readFileSync(file, 'utf8')) as RuleFile).groups.flatMap(({ name: group, interval, rules }) =>
      rules.map((rule): Rule => ({
        group,
        file,
        intervalMs: interval === undefined ? defaultIntervalMs : durationMs(interval),
        name: rule.alert,
        query: rule.expr.trim(),
        expression: compile(rule.expr.trim()),
        forMs: rule.for === undefined ? 0 : durationMs(rule.for),
        labels: rule.labels ?? {},
        annotations: rule.annotations ?? {},
      })),
    ),
  )
}

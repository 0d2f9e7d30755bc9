import type { ByteAccount } from '../index.js'
import type { ApiProxy } from './api-proxy.js'

/** Which metrics a server shows. */
export interface MetricsSettings {
  /** Bytes of each proxy. */
  readonly proxy: boolean
  /** Memory and time of the process. */
  readonly runtime: boolean
}

/** The metrics of a server in the text format of Prometheus. Bytes are counted as they pass. */
export function metricsText(proxies: readonly ApiProxy[], { proxy, runtime }: MetricsSettings): string {
  const lines = [...(proxy ? proxyMetrics(proxies) : []), ...(runtime ? runtimeMetrics() : [])]
  return lines.map((line) => `${line}\n`).join('')
}

function proxyMetrics(proxies: readonly ApiProxy[]): readonly string[] {
  return [
    ...family(proxies, 'toxiproxy_proxy_received_bytes_total', 'The total number of bytes received.', 'bytesIn'),
    ...family(proxies, 'toxiproxy_proxy_sent_bytes_total', 'The total number of bytes sent.', 'bytesOut'),
  ]
}

function family(proxies: readonly ApiProxy[], name: string, help: string, of: keyof ByteAccount): readonly string[] {
  const samples = proxies.flatMap(({ shape, proxy }) =>
    (['upstream', 'downstream'] as const).map((direction) => {
      const labels = { direction, listener: shape.listen, proxy: shape.name, upstream: shape.upstream }
      return `${name}{${labelsText(labels)}} ${proxy.counters[direction][of]}`
    }),
  )
  return [`# HELP ${name} ${help}`, `# TYPE ${name} counter`, ...samples]
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`)
    .join(',')
}

function runtimeMetrics(): readonly string[] {
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  return [
    ...gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', rss),
    ...gauge('nodejs_heap_size_used_bytes', 'Size of the used heap in bytes.', heapUsed),
    '# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.',
    '# TYPE process_cpu_seconds_total counter',
    `process_cpu_seconds_total ${(user + system) / 1_000_000}`,
  ]
}

const gauge = (name: string, help: string, value: number): readonly string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} gauge`,
  `${name} ${value}`,
]

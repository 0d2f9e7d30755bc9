import type { Metric, Registry } from 'prom-client'
import type { Moment, Moments } from '../moments.js'
import type { AppSabotages } from './app-sabotage.js'
import { httpSabotages } from './http.js'

/** The page as it was at a moment, from then on. */
function freezePage(registry: Registry, moments: Moments, moment: Moment): void {
  const metrics = registry.metrics.bind(registry)
  let frozen: Promise<string> | undefined
  registry.metrics = () => frozen ?? metrics()
  moments.at(moment, () => (frozen = metrics()))
}

/** The page with its text changed. */
function changePage(registry: Registry, change: (page: string) => string): void {
  const metrics = registry.metrics.bind(registry)
  registry.metrics = async () => change(await metrics())
}

/** Series of one metric read as they did at a moment, from then on. */
function freezeMetric(registry: Registry, name: string, moments: Moments, moment: Moment): void {
  const metric = registry.getSingleMetric(name) as Metric & { get(): Promise<unknown> }
  const get = metric.get.bind(metric)
  let frozen: Promise<unknown> | undefined
  metric.get = (() => frozen ?? get()) as typeof metric.get
  moments.at(moment, () => (frozen = get()))
}

const withoutHttp = (page: string): string => page.replaceAll('http_request', 'web_request')

export const metricsSabotages: AppSabotages = {
  'page-frozen-at-method': { apply: ({ registry }, moments) => freezePage(registry, moments, 'method') },
  'page-frozen-at-landing': { apply: ({ registry }, moments) => freezePage(registry, moments, 'landed') },
  'page-refreshed-every-30-s': {
    apply({ registry }) {
      const metrics = registry.metrics.bind(registry)
      let [page, at] = [metrics(), performance.now()]
      registry.metrics = () => {
        if (performance.now() - at > 30_000) [page, at] = [metrics(), performance.now()]
        return page
      }
    },
  },
  'http-metrics-renamed': {
    apply(app, moments) {
      changePage(app.registry, withoutHttp)
      httpSabotages['writes-500-uncounted']?.apply?.(app, moments)
    },
  },
  'http-metrics-renamed-at-landing': {
    apply(app, moments) {
      changePage(app.registry, (page) => (moments.has('landed') ? withoutHttp(page) : page))
      httpSabotages['writes-500-uncounted']?.apply?.(app, moments)
    },
  },
  'loop-rate-frozen': {
    apply: ({ registry }, moments) => freezeMetric(registry, 'consciousness_loop_hz', moments, 'landed'),
  },
  'restarts-frozen': {
    apply: ({ registry }, moments) => freezeMetric(registry, 'consciousness_worker_restarts_total', moments, 'landed'),
  },
  'worker-gauges-invented': {
    apply: ({ registry }) =>
      changePage(registry, (page) =>
        page
          .replace(/^(consciousness_loop_hz) .*$/m, '$1 100')
          .replace(/^(consciousness_worker_up\{.*\}) .*$/m, '$1 1'),
      ),
  },
  'failures-reset-every-second': {
    apply: ({ registry }) =>
      void setInterval(() => registry.getSingleMetric('http_requests_total')?.reset(), 1_000).unref(),
  },
  'lag-not-a-number': {
    apply: ({ registry }, moments) =>
      changePage(registry, (page) =>
        moments.has('landed')
          ? page.replace(/^(eventbus_publish_lag_ms_(?:bucket|count|sum).*) .*$/gm, '$1 NaN')
          : page,
      ),
  },
}

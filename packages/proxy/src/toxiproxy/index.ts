export {
  startToxiproxy,
  type CreatedProxy,
  type ProxyBody,
  type ProxyInstance,
  type ToxicBody,
  type ToxicInstance,
  type Toxiproxy,
  type ToxiproxyOptions,
} from './start-toxiproxy.js'
export type { ProxyShape } from './api-proxy.js'
export type { ToxicShape } from './api-toxic.js'

import { defineFault } from '@chaos/core/authoring'
import { httpTarget, isHttp2Client, isHttpClient, isHttpServer } from '../http/target.js'
import { watchHttp2Requests } from './requests/http2-requests.js'
import { watchNodeRequests } from './requests/node-requests.js'
import { watchServerRequests } from './requests/server-requests.js'
import { watchUndiciRequests } from './requests/undici-requests.js'
import { recorderOption } from './watch-calls.js'
import { watching } from './watching.js'

/** A fault that breaks nothing: it records HTTP requests. */
export const watchRequests = defineFault({
  name: 'adapter/watch-requests',
  kind: 'standing',
  summary: 'Watches HTTP requests.',
  options: { recorder: recorderOption },
  target: httpTarget,
  inject(target, { recorder }, context) {
    const watched = watching(context, recorder)
    if (isHttpServer(target)) watchServerRequests(target, watched, recorder)
    else if (isHttp2Client(target)) watchHttp2Requests(watched, recorder)
    else if (isHttpClient(target)) watchNodeRequests(target, watched, recorder)
    else watchUndiciRequests(target, watched, recorder)
  },
})

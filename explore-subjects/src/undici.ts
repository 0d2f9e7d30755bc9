import assert from 'node:assert/strict'
import { answerRequests, cutResponses, hangRequests } from '@chaos/adapter/http'
import { explore } from '@chaos/test'
import { Agent, RetryAgent } from 'undici'
import { fileServer, FILE } from './file-server.js'
import { settled, shared, type Subject } from './subject.js'

const MAX_RETRIES = 2

/** RetryAgent of undici, around an agent, as in the example of its documentation. */
export const undiciSubject: Subject = {
  name: 'undici RetryAgent',
  promise: `A download is whole or fails, takes at most ${MAX_RETRIES + 1} requests without progress, and a POST is sent once.`,
  servers: [],
  isSteady: false,
  async explore(how) {
    const server = await fileServer()
    let agent = new Agent()
    const renew = async (): Promise<void> => {
      await agent.destroy()
      server.forget()
      agent = new Agent({ headersTimeout: 300, bodyTimeout: 300 })
    }
    try {
      return await explore(
        {
          ...shared(how),
          name: 'undici',
          reset: renew,
          targets: () => ({ agent }),
          faults: {
            agent: [
              answerRequests({ retryAfterMs: 0 }),
              cutResponses,
              cutResponses({ afterBytes: 1_000 }),
              ...(how.hangs ? [hangRequests] : []),
            ],
          },
        },
        async ({ settle }) => {
          const retrying = new RetryAgent(agent, { maxRetries: MAX_RETRIES, minTimeout: 1, maxTimeout: 2 })
          const { origin } = server
          const get = async (): Promise<string> => {
            const { statusCode, body } = await retrying.request({ origin, path: '/file', method: 'GET' })
            const text = await body.text()
            if (statusCode !== 200) throw new Error(`status ${statusCode}`)
            return text
          }
          const file = await settled(get())
          if ('value' in file) assert.ok(file.value === FILE, `got ${file.value.length} of ${FILE.length} bytes`)
          assert.ok(server.gets <= MAX_RETRIES + 1, `${server.gets} downloads`)
          const post = async (): Promise<number> => {
            const { statusCode, body } = await retrying.request({ origin, path: '/charge', method: 'POST' })
            await body.dump()
            return statusCode
          }
          const charge = await settled(post())
          if ('value' in charge && charge.value === 200)
            assert.equal(server.posts, 1, 'confirmed, and not charged once')
          await settle()
          assert.ok(server.posts <= 1, `charged ${server.posts} times`)
        },
      )
    } finally {
      await agent.destroy()
      server.stop()
    }
  },
}

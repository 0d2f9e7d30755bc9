// A million connections in several processes, each of which accounts for its own: `npm run soak -- proxy`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'

const connections = Number(
  process.env.CHAOS_CHURN_CONNECTIONS ?? (process.env.CHAOS_SOAK === 'quick' ? '30000' : '1000000'),
)
const seed = process.env.CHAOS_CHURN_SEED ?? String(Date.now())
const processes = Math.max(2, availableParallelism())

async function churn(index) {
  const args = ['run', 'src/listen/churn.test.ts', '--reporter=default']
  const child = spawn('vitest', args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
    env: {
      ...process.env,
      CHAOS_CHURN_CONNECTIONS: String(Math.ceil(connections / processes)),
      CHAOS_CHURN_SEED: `${seed}-${index}`,
    },
  })
  const [status] = await once(child, 'exit')
  return status ?? 1
}

console.log(`${connections} connections in ${processes} processes; to run them again, set CHAOS_CHURN_SEED=${seed}`)
const startedAt = performance.now()
const statuses = await Promise.all(Array.from({ length: processes }, (_, index) => churn(index)))
const seconds = (performance.now() - startedAt) / 1_000
console.log(`${connections} connections in ${seconds.toFixed(0)} s: ${(connections / seconds).toFixed(0)} per second`)
process.exitCode = Math.max(...statuses)

// 100,000 hostile requests and as many frames, and what each costs; 100,000 requests made from the OpenAPI document; and
// 1,000 hostile clients: `npm run soak -- hostile`.
import { spawnSync } from 'node:child_process'

const isQuick = process.env.CHAOS_SOAK === 'quick'
const files = ['hostile-requests', 'schema-fuzz', 'hostile-clients'].map((name) => `test/${name}.test.ts`)
const { status } = spawnSync('vitest', ['run', ...files, '--testTimeout=3600000', '--no-file-parallelism'], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
  env: {
    ...process.env,
    CHAOS_HOSTILE_COUNT: process.env.CHAOS_HOSTILE_COUNT ?? (isQuick ? '5000' : '100000'),
    // For each of about 14 operations.
    CHAOS_FUZZ_COUNT: process.env.CHAOS_FUZZ_COUNT ?? (isQuick ? '200' : '7500'),
    CHAOS_HOSTILE_CLIENTS: process.env.CHAOS_HOSTILE_CLIENTS ?? (isQuick ? '200' : '1000'),
  },
})
process.exitCode = status ?? 1

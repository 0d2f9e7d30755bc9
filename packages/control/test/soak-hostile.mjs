// 100,000 hostile requests and as many frames, and what each costs: `npm run soak -- hostile`.
import { spawnSync } from 'node:child_process'

const { status } = spawnSync('vitest', ['run', 'test/hostile-requests.test.ts', '--testTimeout=3600000'], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
  env: {
    ...process.env,
    CHAOS_HOSTILE_COUNT: process.env.CHAOS_HOSTILE_COUNT ?? (process.env.CHAOS_SOAK === 'quick' ? '5000' : '100000'),
  },
})
process.exitCode = status ?? 1

import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    main: 'src/main.ts',
    app: 'src/app.ts',
    'loop-worker': 'src/loop-worker.ts',
    'evaluator-worker': 'src/alerts/evaluator-worker.ts',
    demo: 'demo/demo.ts',
  },
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  clean: true,
  sourcemap: true,
})

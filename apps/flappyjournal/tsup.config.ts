import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    main: 'src/main.ts',
    app: 'src/app.ts',
    'loop-worker': 'src/loop-worker.ts',
    demo: 'demo/demo.ts',
    load: 'demo/load-command.ts',
    // No part of the app: what sabotages it in the soak.
    sabotaged: 'e2e/sabotage/sabotaged.ts',
    'sabotaged-evaluator': 'e2e/sabotage/in-app/sabotaged-evaluator.ts',
    'idle-loop': 'e2e/sabotage/in-app/idle-loop.ts',
    'load-process': 'e2e/sabotage/load-process.ts',
    'soak-sabotage': 'e2e/sabotage/soak-sabotage.ts',
    'soak-demo': 'e2e/sabotage/soak-demo.ts',
  },
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  clean: true,
  sourcemap: true,
})

// Writes experiment.schema.json anew, from the declaration in src/model/experiment.ts. Run it by `npm run schema`.
import { writeFile } from 'node:fs/promises'
import { experimentJsonSchema } from '../dist/index.js'

await writeFile(
  new URL('../experiment.schema.json', import.meta.url),
  `${JSON.stringify(experimentJsonSchema(), null, 2)}\n`,
)

// Runs the programs that are named, one after the other, and says where the output of each ends.
import { pathToFileURL } from 'node:url'

for (const file of process.argv.slice(2)) {
  await import(pathToFileURL(file).href)
  process.stdout.write('\u0001end of a program\n')
}

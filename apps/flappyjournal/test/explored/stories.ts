import { fileURLToPath } from 'node:url'
import type { Exploration } from '@chaos/test'
import { changeAndDelete } from './change-and-delete.js'
import type { Story } from './explore-journal.js'
import { writeAndRead } from './write-and-read.js'

/** A story that is explored. */
interface ExploredStory {
  readonly name: string
  readonly story: Story
  /** The table of what a client sees under each fault alone. */
  readonly behaviours: string
}

const table = (name: string): string => fileURLToPath(new URL(`${name}.behaviours.json`, import.meta.url))

export const stories: readonly ExploredStory[] = [
  { name: 'write and read', story: writeAndRead, behaviours: table('write-and-read') },
  { name: 'change and delete', story: changeAndDelete, behaviours: table('change-and-delete') },
]

/** The page that tells what was explored. */
export const page = fileURLToPath(new URL('../../../../docs/explored-flappyjournal.md', import.meta.url))

/** The line of a search as the page has it: with the name, and without the time that it took. */
export function lineOf({ name, line }: Exploration): string {
  return `${name}: ${line.replace(/ [\d.]+ m?s;/, '')}`
}

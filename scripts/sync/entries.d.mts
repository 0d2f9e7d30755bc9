/** The entries of the package in a folder: file by name, `index` first. */
export function entriesOf(folder: string): Readonly<Record<string, string>>

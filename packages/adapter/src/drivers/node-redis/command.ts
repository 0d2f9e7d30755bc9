export type CommandArgs = readonly [name: string | Buffer, ...args: unknown[]]

/** The internals of a client that its methods use. */
export interface Connection {
  readonly isOpen: boolean
  readonly _commandOptions?: { readonly abortSignal?: AbortSignal }
  readonly options?: { readonly socket?: { readonly host?: string; readonly port?: number } }
}

/** The name of a command, in capitals. */
export function nameOf([name]: CommandArgs): string {
  return String(name).toUpperCase()
}

/** One operation of a target, made again and again by the tests. */
export interface Subject {
  readonly target: object
  readonly methods: string
  readonly operate: () => Promise<unknown>
  /** Counts what has really been written, beside all faults. Always 0 if the operation writes nothing. */
  readonly written: () => number | Promise<number>
  /** What an operation adds to {@link written}. */
  readonly writes: 0 | 1
  /** What a copy of the operation adds. */
  readonly copyWrites: 0 | 1
  readonly close: () => Promise<unknown>
}

/** Subjects by name, and the programs that each needs. */
export type Subjects = Readonly<
  Record<string, { readonly needs: readonly string[]; readonly open: () => Promise<Subject> }>
>

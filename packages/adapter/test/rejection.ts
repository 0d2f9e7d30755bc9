/** The error that work fails with. Work that does not fail is what fails then. */
export async function rejection(work: Promise<unknown>): Promise<Error> {
  return work.then(() => Promise.reject(new Error('Expected a rejection, got none.')), (error: unknown) => error as Error)
}

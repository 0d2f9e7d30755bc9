/** An error of the API: an HTTP status, and a message in Toxiproxy's words where it has one. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

/** A body that is no JSON, or of another shape. */
export const badBody = (why: string): ApiError => new ApiError(400, `bad request body: ${why}`)
export const missingField = (field: string): ApiError => new ApiError(400, `missing required field: ${field}`)
export const proxyNotFound = (): ApiError => new ApiError(404, 'proxy not found')
export const toxicNotFound = (): ApiError => new ApiError(404, 'toxic not found')

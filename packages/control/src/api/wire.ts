/** The connection to one client of the event stream. */
export interface Wire {
  /**
   * Sends a message.
   *
   * @param id Its id, by which a client can resume.
   */
  send(text: string, id: string): void
  /** The amount of data that the client has not taken yet, in bytes. */
  readonly unsentBytes: number
  /** Called at each heartbeat. Keeps the connection alive, and ends one that is found dead. */
  beat(): void
  /** Disconnects the client at once. */
  terminate(): void
  /** Says goodbye, then disconnects the client. */
  close(): void
}

/** Opens a wire. @param onGone Called once, when the client is gone. */
export type OpenWire = (onGone: () => void) => Wire

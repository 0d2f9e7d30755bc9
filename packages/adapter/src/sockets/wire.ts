import type { HeldOn } from '@chaos/core/authoring'
import type { Duplex } from 'node:stream'
import type { ConnectionEnd } from './connection-end.js'

/** A connection, or one response on a connection, whose bytes a fault handles. */
export interface Wire {
  /** The key under which bytes are held in order. */
  readonly line: symbol
  /** The connection. Bytes that are held when it is gone are lost. */
  readonly on: HeldOn
  /** The connection itself, which tells when it closes. */
  readonly connection: Duplex
  /**
   * Delivers bytes.
   *
   * @param done Called when the sender may send more.
   */
  readonly deliver: (bytes: Buffer, done?: Done) => void
  /**
   * Ends the connection.
   *
   * @param fault The name of the fault, for the mark on the connection's error.
   */
  readonly cut: (how: ConnectionEnd, fault: string) => void
}

/** Called when the sender may send more. */
export type Done = (error?: Error | null) => void

/**
 * Handles the bytes of a wire, piece by piece.
 *
 * @param headBytes The number of bytes at the front that belong to a response head.
 * @param done To be called when the sender may send more. Does nothing if no sender waits.
 */
export type TakeBytes = (bytes: Buffer, headBytes: number, done: Done) => void

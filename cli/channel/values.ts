// Messages as bytes of standard input and output.

import { inspect } from 'node:util'
import { isUint8Array } from 'node:util/types'

import type { Channel, Codec } from '../../index.js'
import { Failure } from '../core/failure.js'

interface Form {
  readonly json: boolean
  readonly frames: boolean
}

/** Makes the value of a message from a line or a frame. */
export function encoder(codec: Codec, { json, frames }: Form): (bytes: Buffer) => unknown {
  // A channel of bytes takes nothing else.
  if (codec === 'bytes') return bytes => bytes
  if (json || codec === 'json') return bytes => parsed(bytes.toString())
  return frames ? bytes => bytes : bytes => bytes.toString()
}

/** The most bytes of a line or a frame that can become a message: JSON may have spaces and escapes that the message has not. */
export function longestInput({ codec, maxMessage }: Channel, { json }: Form): number {
  const isParsed = codec !== 'bytes' && (json || codec === 'json')
  return isParsed ? 8 * maxMessage + 65_536 : maxMessage
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Failure(`this is not JSON: ${text.slice(0, 60)}`, (error as Error).message)
  }
}

/** Makes a line or a frame of the value of a message. */
export function decoder({ json, frames }: Form): (value: unknown) => Buffer {
  if (frames) {
    return value => {
      const bytes = bytesOf(value)
      const length = Buffer.alloc(4)
      length.writeUInt32LE(bytes.length)
      return Buffer.concat([length, bytes])
    }
  }
  const line = json ? (value: unknown) => Buffer.from(jsonOf(value)) : bytesOf
  return value => Buffer.concat([line(value), Buffer.from('\n')])
}

/** Text and bytes as they are, anything else as JSON. */
function bytesOf(value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.from(value)
  return isUint8Array(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(jsonOf(value))
}

function jsonOf(value: unknown): string {
  if (isUint8Array(value)) return JSON.stringify({ base64: Buffer.from(value).toString('base64') })
  try {
    const text = JSON.stringify(value) as string | undefined
    if (text !== undefined) return text
  } catch {
    // A circular value, or a BigInt.
  }
  return JSON.stringify(inspect(value, { breakLength: Number.POSITIVE_INFINITY }))
}

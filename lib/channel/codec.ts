import { isUint8Array } from 'node:util/types'

import { IpcError, wrongType } from '../errors.js'
import { type Codec, KIND } from './layout.js'
import { isPlain } from './plain.js'

/** `node:v8`, which takes 1 ms or more to load: only for a process whose channels carry values that need it. */
let loaded: typeof import('node:v8') | undefined
function v8(): typeof import('node:v8') {
  loaded ??= process.getBuiltinModule('node:v8')
  return loaded
}

/** A value as it goes into the ring: bytes, or text that is still to be encoded. */
export interface Encoded {
  kind: number
  /** The number of bytes when it was sent last; 0 for text. */
  length: number
  bytes: Uint8Array | undefined
  text: string | undefined
}

export function newEncoded(): Encoded {
  return { kind: 0, length: 0, bytes: undefined, text: undefined }
}

/** Encodes a value. This may run code of the program (getters, `toJSON`), so the caller holds no lock. */
export function encode(codec: Codec, value: unknown, into: Encoded): Encoded {
  if (codec === 'structured') return structured(value, into)
  if (codec === 'bytes') {
    return ofBytes(KIND.BYTES, checkBytes(value), into)
  }
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined) throw wrongType('a message of a JSON channel', 'a value that JSON has', value)
  return ofText(KIND.JSON, text, into)
}

/** A message of a channel of bytes. */
export function checkBytes(value: unknown): Uint8Array {
  if (!isUint8Array(value)) throw wrongType('a message of a channel of bytes', 'a Uint8Array', value)
  return value
}

function ofBytes(kind: number, bytes: Uint8Array, into: Encoded): Encoded {
  into.kind = kind
  into.bytes = bytes
  into.text = undefined
  return into
}

function ofText(kind: number, text: string, into: Encoded): Encoded {
  into.kind = kind
  into.bytes = undefined
  into.text = text
  return into
}

function structured(value: unknown, into: Encoded): Encoded {
  if (typeof value === 'string') {
    if (value.isWellFormed()) {
      return ofText(KIND.TEXT, value, into)
    }
  } else if (typeof value === 'object' && value !== null && isUint8Array(value)) {
    return ofBytes(Buffer.isBuffer(value) ? KIND.BYTES : KIND.UINT8_ARRAY, value, into)
  } else if (value === undefined) {
    throw wrongType('a message', 'a value', value)
  } else if (isPlain(value)) {
    return ofText(KIND.JSON, JSON.stringify(value), into)
  }
  return ofBytes(KIND.STRUCTURED, v8().serialize(value), into)
}

/** The value of a message, from bytes that belong to this process. */
export function decode(kind: number, bytes: Buffer<ArrayBuffer>): unknown {
  switch (kind) {
    case KIND.BYTES:
      return bytes
    case KIND.UINT8_ARRAY:
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    case KIND.TEXT:
      return bytes.toString('utf8')
    case KIND.ASCII_TEXT:
      return bytes.toString('latin1')
    case KIND.JSON:
      return parse(bytes.toString('utf8'))
    case KIND.ASCII_JSON:
      return parse(bytes.toString('latin1'))
    case KIND.STRUCTURED:
      return structuredValue(bytes)
    default:
      throw unreadable(`it has the unknown kind ${kind >>> 0}`)
  }
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw unreadable('it is not JSON', error)
  }
}

function structuredValue(bytes: Buffer): unknown {
  try {
    return v8().deserialize(bytes)
  } catch (error) {
    throw unreadable('v8.deserialize refuses it', error)
  }
}

function unreadable(why: string, cause?: unknown): IpcError {
  return new IpcError('ERR_BAD_MESSAGE', `a message cannot be decoded: ${why}`, {
    hint: 'the message is taken out; the next call receives the next one. receiveInto and drain show the bytes of any message',
    cause,
  })
}

// The layout of a channel in shared memory: docs/interop.md has every field with its meaning.

/** The characters `oChn`. */
export const MAGIC = 0x6e68436f
export const VERSION = 1
/** The offset of the ring, in bytes. */
export const HEADER = 8192
/** The most handles that have a channel open at one time. */
export const SLOTS = 255
/** The most bytes of a name, slash included. */
export const LONGEST_NAME = 255
export const LEAST_CAPACITY = 64
export const MOST_CAPACITY = 2 ** 30

// Indices of 32-bit words.
export const WORD = {
  MAGIC: 0,
  VERSION: 1,
  HEADER: 2,
  CAPACITY: 3,
  SLOTS: 4,
  CODEC: 5,
  INSTANCE: 6,
  CREATOR: 8,
  NAMESPACE: 10,
  NAME_LENGTH: 11,
  MODE: 12,
  BACKEND: 13,
} as const

// Sending and receiving use these words, so each is a separate constant: reading a property would cost a load.
export const END = 16
export const SEND_LOCK = 17
export const SENT = 18
export const BEGIN = 32
export const RECEIVE_LOCK = 33
export const RECEIVED = 34
export const RECEIVERS_ASLEEP = 48
export const SENDERS_ASLEEP = 49
export const STATE = 50

/** The offset of the name, in bytes. */
export const NAME = 256
/** The offset of the first slot, in bytes. */
export const FIRST_SLOT = 4096
/** The size of a slot, in bytes. */
export const SLOT = 16

// The bits of the state.
export const ENDED = 1
export const REMOVED = 2
export const CORRUPT = 4

// The bits of a role.
export const SENDS = 1
export const RECEIVES = 2

/** The length that sends the reader to the start of the ring. */
export const SKIP = -1

/** The bytes of a record before its payload. */
export const RECORD = 8

/** The kinds of payloads. */
export const KIND = {
  BYTES: 1,
  JSON: 2,
  STRUCTURED: 3,
  TEXT: 4,
  UINT8_ARRAY: 5,
  ASCII_TEXT: 6,
  ASCII_JSON: 7,
} as const

/** The codecs as the header records them. */
export const CODECS = ['bytes', 'json', 'structured'] as const

/** How values become bytes. */
export type Codec = (typeof CODECS)[number]

/** The identity of a slot, as an index of 64-bit words. */
export function identityOf(slot: number): number {
  return (FIRST_SLOT + SLOT * (slot - 1)) / 8
}

/** The generation of a slot, as an index of 32-bit words; the role is next to it. */
export function generationOf(slot: number): number {
  return (FIRST_SLOT + SLOT * (slot - 1)) / 4 + 2
}

/** The longest message of a ring. */
export function longestMessage(capacity: number): number {
  return capacity / 2 - RECORD
}

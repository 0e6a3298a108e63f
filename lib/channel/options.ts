import { outOfRange, wrongType, wrongValue } from '../errors.js'
import type { OptionNames } from '../misuse.js'
import { checkInteger, checkMode, checkOptions, checkOwner, type Owner } from '../options.js'
import { WAIT, type WaitOptions } from '../waiting/options.js'
import { CODECS, type Codec, LEAST_CAPACITY, LONGEST_NAME, MOST_CAPACITY } from './layout.js'
import type { Creation } from './objects.js'

/** The options of {@link Channel.create}. */
export interface CreateChannelOptions {
  /** The bytes that messages can use, rounded up to a power of two: at most 1 GiB. A message can have half of it. */
  capacity: number
  /** How values become bytes; `'structured'` when missing. */
  codec?: Codec | undefined
  /**
   * Permission bits of its objects, independent of the umask; `0o600` when missing. Every user of a channel needs the
   * right to write.
   */
  mode?: number | undefined
}

/** The options of {@link Channel.open}. */
export interface OpenChannelOptions {
  /** Another owner whose channel this call may open, besides this user and root: a uid, or `'any'`. */
  owner?: Owner | undefined
}

/** The options of {@link Channel.openOrCreate}. */
export interface OpenOrCreateChannelOptions extends CreateChannelOptions, OpenChannelOptions {}

/** The options of {@link Channel.receive}. */
export interface ReceiveOptions extends WaitOptions {
  /**
   * The most messages that this call takes out of the channel; 1 when missing. The messages after the first are for later
   * calls.
   */
  prefetch?: number | undefined
}

/** The options of {@link Channel.batches}. */
export interface BatchesOptions extends WaitOptions {
  /** The most messages of a batch; 1,024 when missing. */
  max?: number | undefined
}

const CREATE: OptionNames<CreateChannelOptions> = { capacity: true, codec: true, mode: true }
const OPEN: OptionNames<OpenChannelOptions> = { owner: true }
const OPEN_OR_CREATE: OptionNames<OpenOrCreateChannelOptions> = { ...CREATE, ...OPEN }
export const RECEIVE: OptionNames<ReceiveOptions> = { ...WAIT, prefetch: true }
export const BATCHES: OptionNames<BatchesOptions> = { ...WAIT, max: true }

/** The name with its slash. */
export function checkChannelName(name: unknown): string {
  if (typeof name !== 'string') throw wrongType('name', 'a string', name)
  if (!name.isWellFormed()) throw wrongValue('a name is well-formed Unicode: it has a lone surrogate')
  const full = name.startsWith('/') ? name : `/${name}`
  const length = Buffer.byteLength(full)
  if (length === 1) throw wrongValue('the name of a channel is empty')
  if (full.includes('\0')) throw wrongValue('a name contains no NUL character')
  if (length > LONGEST_NAME) {
    throw wrongValue(
      `the name of a channel has at most ${LONGEST_NAME} bytes with its slash, and this one has ${length}`,
    )
  }
  return full
}

export function checkCreation(options: CreateChannelOptions): Creation {
  return creation(checkOptions(options, CREATE))
}

function creation({ capacity, codec, mode }: Partial<CreateChannelOptions>): Creation {
  const bytes = checkInteger('capacity', capacity, 1, MOST_CAPACITY)
  return {
    capacity: Math.max(2 ** Math.ceil(Math.log2(bytes)), LEAST_CAPACITY),
    codec: checkCodec(codec),
    mode: checkMode(mode),
  }
}

export function checkOpening(options: OpenChannelOptions | undefined): Owner | undefined {
  return checkOwner(checkOptions(options, OPEN).owner)
}

export function checkOpenOrCreate(
  options: OpenOrCreateChannelOptions,
): Creation & { owner: Owner | undefined } {
  const given = checkOptions(options, OPEN_OR_CREATE)
  return { ...creation(given), owner: checkOwner(given.owner) }
}

function checkCodec(value: unknown): Codec {
  if (value === undefined) return 'structured'
  const codec = CODECS.find(known => known === value)
  if (codec !== undefined) return codec
  const expected = CODECS.map(known => `'${known}'`).join(', ')
  if (typeof value !== 'string') throw wrongType('codec', `one of ${expected}`, value)
  throw wrongValue(`codec must be one of ${expected}, received '${value}'`)
}

/** A number of messages; `Infinity` is allowed. */
export function checkMost(what: string, value: unknown, missing: number): number {
  if (value === undefined) return missing
  if (value === Number.POSITIVE_INFINITY) return value
  if (typeof value !== 'number') throw wrongType(what, 'a number of messages', value)
  if (!Number.isInteger(value) || value < 1) throw outOfRange(what, 'an integer of at least 1', value)
  return value
}

/** Throws if a callback is not done when it returns: it would use bytes of the ring that belong to others by then. */
export function checkDone(answer: unknown, what: string, callback: unknown): void {
  if (typeof (answer as PromiseLike<unknown> | undefined)?.then === 'function') {
    throw wrongType(what, 'a function that is done when it returns', callback)
  }
}

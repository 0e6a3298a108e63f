import type { Channel, Owner } from '../../index.js'
import type { Library } from '../core/command.js'
import { about, type Subject } from '../core/explain.js'
import { usage } from '../core/failure.js'
import { libraryId } from '../core/target.js'
import { bytes, MODE, OWNER } from '../core/values.js'

/** The room of a new channel, when the command line does not say. */
const CAPACITY = 1 << 20

/** The options for the form of messages. */
export const VALUES = {
  json: { short: 'j', help: 'Each message is a line of JSON.' },
  frames: { help: 'Each message comes after its length in 4 bytes, the lowest byte first.' },
} as const

/** The options of {@link channelOf}. */
export const OPENING = {
  create: { help: 'Create the channel if it is missing.' },
  capacity: {
    short: 's',
    value: 'BYTES',
    help: 'The capacity of a channel that --create creates, rounded up to a power of two; 1M when missing.',
    read: bytes,
  },
  mode: MODE,
  owner: OWNER,
} as const

interface Choice {
  readonly json: boolean
  readonly frames: boolean
  readonly create: boolean
  readonly capacity: number | undefined
  readonly mode: number | undefined
  readonly owner: Owner | undefined
}

/** Opens a channel, or makes it with --create. */
export function channelOf(ipc: Library, subject: Subject, options: Choice): Channel {
  const { json, frames, create, capacity, mode, owner } = options
  if (json && frames) throw usage('a message is a line or a frame', 'leave --json or --frames out')
  if (!create && (capacity !== undefined || mode !== undefined)) {
    throw usage(`${capacity === undefined ? '--mode' : '--capacity'} is for --create`)
  }
  const name = `${libraryId(subject.target)}`
  return about(ipc, subject, () =>
    create
      ? ipc.Channel.openOrCreate(name, { capacity: capacity ?? CAPACITY, mode, owner })
      : ipc.Channel.open(name, { owner }),
  )
}

import type { Channel } from '../../index.js'
import { channelOf, OPENING, VALUES } from '../channel/open.js'
import { frames, lines } from '../channel/input.js'
import { Stopping } from '../channel/stopping.js'
import { encoder, longestInput } from '../channel/values.js'
import { command } from '../core/command.js'
import { COMMON_EXITS, EXIT } from '../core/exit.js'
import { about, type Subject } from '../core/explain.js'
import { Failure, usage } from '../core/failure.js'
import { count } from '../core/format.js'
import { standardInput } from '../core/input.js'
import { checkKept } from '../core/kept.js'
import { channelSubject } from '../core/open.js'
import { note } from '../core/output.js'
import { TIMEOUT } from '../core/values.js'

export default command({
  name: 'send',
  operands: [
    { name: 'NAME', help: 'a channel', complete: 'channel' },
    {
      name: 'TEXT',
      help: 'a message; the lines of standard input when missing',
      optional: true,
      many: true,
    },
  ],
  options: {
    ...VALUES,
    end: {
      short: 'e',
      help: 'End the channel afterwards: receivers get the messages that are left, and then stop.',
    },
    timeout: {
      ...TIMEOUT,
      help: 'Give up if a message finds no room for so many seconds (also 500ms, 2m); 0 does not wait.',
    },
    ...OPENING,
  },
  description: [
    'Sends each line of standard input as a message, without its line break. While the channel is full, send waits, and so does the program that writes to its input.',
    'In a channel of bytes a line is sent as bytes, in a channel of JSON as the value of its JSON, and in any other channel as a string. With --json each line is the JSON of a value. ' +
      'With --frames the input has messages of any bytes, each after its length in 4 bytes, the lowest byte first.',
    'After SIGINT (Ctrl-C), SIGTERM and SIGHUP it reads nothing more, sends the lines that it has read if there is room, and ends. It reports the number of those that found no room; a second signal ends it at once.',
    'A sent message stays in the channel until a process receives it, even if no process runs.',
  ],
  examples: [
    ['os-ipc send jobs --create hello', 'one message, into a new channel if there is none'],
    ['seq 1000 | os-ipc send jobs', 'a message for each line'],
    [`os-ipc send jobs --json '{"id":1}'`, 'an object'],
    ['tail -f access.log | os-ipc send log --create', 'as long as lines come'],
  ],
  exits: [
    ...COMMON_EXITS,
    [`${EXIT.no}`, 'the channel has ended'],
    [`${EXIT.timeout}`, 'there was no room in time'],
  ],
  async run({ ipc, options, operands: [name = '', ...messages] }) {
    if (options.frames && messages.length > 0)
      throw usage('--frames is for standard input', 'leave TEXT or --frames out')
    const subject = channelSubject(name)
    const channel = channelOf(ipc, subject, options)
    const stopping = new Stopping()
    try {
      const encode = encoder(channel.codec, options)
      const { timeout } = options
      const { signal } = stopping
      const send = (batch: Iterable<unknown>) =>
        about(ipc, subject, () => sendAll(channel, batch, { timeout, signal }))
      if (messages.length > 0)
        await send(
          each(
            messages.map(text => Buffer.from(text)),
            encode,
          ),
        )
      else {
        const bytes = standardInput()
        const most = longestInput(channel, options)
        const input = options.frames ? frames(bytes, most) : lines(bytes, most)
        for (;;) {
          const next = await Promise.race([input.next(), stopping.heard])
          if (next === undefined || next.done === true) break
          await send(each(next.value, encode))
        }
      }
      if (stopping.came) return undefined
      if (options.end) channel.end()
      // A message stays in the channel while a process has it open.
      if (channel.info().receivers.length === 0) checkKept(ipc, channel, subject)
    } catch (error) {
      throw noRoom(error, channel, subject, options.timeout)
    } finally {
      channel.close()
      stopping[Symbol.dispose]()
    }
    return undefined
  },
})

/** Sends the messages in their order. A signal ends the wait for room; what has no room at once then is counted. */
async function sendAll(channel: Channel, batch: Iterable<unknown>, limits: SendLimits): Promise<void> {
  let unsent = 0
  for (const message of batch) {
    if (unsent === 0 && channel.trySend(message)) continue
    if (unsent === 0 && !limits.signal.aborted) {
      try {
        await channel.send(message, limits)
        continue
      } catch (error) {
        if (!limits.signal.aborted) throw error
      }
    }
    unsent += 1
  }
  if (unsent > 0)
    note(`${count(unsent, 'message')} of the input found no room before the signal, and will not be sent`)
}

interface SendLimits {
  readonly timeout: number | undefined
  readonly signal: AbortSignal
}

/** Encodes one after the other: the messages before one that is no value are sent. */
function* each(messages: readonly Buffer[], encode: (bytes: Buffer) => unknown): Iterable<unknown> {
  for (const message of messages) yield encode(message)
}

function noRoom(error: unknown, channel: Channel, { target }: Subject, timeout: number | undefined): unknown {
  if ((error as { code?: string }).code !== 'ETIMEDOUT') return error
  const { receivers } = channel.info()
  return new Failure(
    `there was no room in ${target.label} within ${(timeout ?? 0) / 1000} s`,
    receivers.length === 0 ? 'no process receives from it' : undefined,
    EXIT.timeout,
  )
}

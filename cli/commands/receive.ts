import type { Channel, WaitOptions } from '../../index.js'
import { channelOf, OPENING, VALUES } from '../channel/open.js'
import { Stopping } from '../channel/stopping.js'
import { decoder } from '../channel/values.js'
import { command } from '../core/command.js'
import { COMMON_EXITS, EXIT } from '../core/exit.js'
import { about, explain, type Subject } from '../core/explain.js'
import { Failure, usage } from '../core/failure.js'
import { channelSubject } from '../core/open.js'
import { note, print, writeAll } from '../core/output.js'
import { integer, TIMEOUT } from '../core/values.js'

/** The most messages of one write: os-ipc loses at most so many if it is killed. */
const BATCH = 64

export default command({
  name: 'receive',
  operands: [{ name: 'NAME', help: 'a channel', complete: 'channel' }],
  options: {
    follow: { short: 'f', help: 'Receive until the channel ends; Ctrl-C stops it.' },
    count: {
      short: 'n',
      value: 'N',
      help: 'How many messages to receive; 1 when missing.',
      read: integer(1, Number.MAX_SAFE_INTEGER),
    },
    ...VALUES,
    timeout: {
      ...TIMEOUT,
      help: 'Give up if no message comes for so many seconds (also 500ms, 2m); 0 does not wait.',
    },
    ...OPENING,
  },
  description: [
    'Waits for a message, receives it, and writes it as a line: text and bytes unchanged, any other value as JSON. Each message goes to one receiver.',
    'A message that contains line breaks becomes several lines. --json writes each message as one line of JSON, and bytes as {"base64":"..."}. --frames writes each message after its length in 4 bytes, the lowest byte first.',
    'If the program that reads the output is slow, os-ipc receives no more messages than that program reads. With --follow it takes up to 64 messages at a time. If it is killed, or its output is closed, the messages that it has not written yet are lost. After SIGINT (Ctrl-C), SIGTERM and SIGHUP it receives nothing more, writes what it has received, and ends; a second signal ends it at once.',
  ],
  examples: [
    ['os-ipc receive jobs --create --follow', 'all messages, as they come, until Ctrl-C'],
    ['os-ipc receive jobs', 'one message'],
    ['os-ipc receive jobs --follow | while read -r job; do echo "$job"; done', 'a command for each message'],
    ['os-ipc receive jobs --follow --timeout 0', 'the messages that are in the channel now'],
  ],
  exits: [
    ...COMMON_EXITS,
    [`${EXIT.no}`, 'the channel ended before the message came; with --follow this is 0'],
    [`${EXIT.timeout}`, 'no message came in time'],
  ],
  async run({ ipc, options, operands: [name = ''] }) {
    const { follow, count = 1, timeout } = options
    if (follow && options.count !== undefined) throw usage('--follow has no --count', 'leave one of them out')
    const subject = channelSubject(name)
    const channel = channelOf(ipc, subject, options)
    const stopping = new Stopping()
    try {
      const write = writer(options)
      let failed = false
      for (let left = follow ? Number.POSITIVE_INFINITY : count; left > 0; ) {
        const { messages, problem, ended } = await about(ipc, subject, () =>
          take(channel, Math.min(left, follow ? BATCH : 1), { timeout, signal: stopping.signal }),
        )
        await write(messages)
        left -= messages.length
        if (problem !== undefined) {
          note(explain(problem, ipc).line)
          failed = true
          left -= 1
        }
        if (stopping.came) break
        if (ended) return endedAt(subject, follow, failed)
      }
      return failed ? EXIT.failed : undefined
    } catch (error) {
      if (stopping.came) return undefined
      if ((error as { code?: string }).code !== 'ETIMEDOUT') throw error
      throw new Failure(
        `no message of ${subject.target.label} came within ${(timeout ?? 0) / 1000} s`,
        undefined,
        EXIT.timeout,
      )
    } finally {
      channel.close()
      // What was received is written by now.
      stopping[Symbol.dispose]()
    }
  },
})

interface Taken {
  readonly messages: unknown[]
  /** The error of a message that cannot be decoded: it is lost, and the next ones are not. */
  readonly problem?: unknown
  readonly ended?: boolean
}

/** Waits for a message, and takes those that are there already. */
async function take(channel: Channel, most: number, limits: WaitOptions): Promise<Taken> {
  const messages: unknown[] = []
  try {
    const first = await channel.receive(limits)
    if (first === undefined) return { messages, ended: true }
    messages.push(first)
    while (messages.length < most) {
      const next = channel.tryReceive()
      if (next === undefined) break
      messages.push(next)
    }
    return { messages }
  } catch (error) {
    // What was taken before is written first; the error of the channel itself comes again.
    if ((error as { code?: string }).code === 'ERR_BAD_MESSAGE') return { messages, problem: error }
    if (messages.length > 0) return { messages }
    throw error
  }
}

function writer(options: { json: boolean; frames: boolean }): (messages: unknown[]) => Promise<void> {
  const decode = decoder(options)
  return async messages => {
    if (messages.length === 0) return
    const parts = messages.map(decode)
    // A terminal gets text only: other bytes could change its state.
    if (process.stdout.isTTY && !options.frames) print(parts.map(part => part.toString().replace(/\n$/, '')))
    else await writeAll(Buffer.concat(parts))
  }
}

function endedAt({ target }: Subject, follow: boolean, failed: boolean): number {
  if (follow) return failed ? EXIT.failed : EXIT.ok
  throw new Failure(`the channel ${target.label} has ended, and has no messages`, undefined, EXIT.no)
}

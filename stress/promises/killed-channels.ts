import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import { Channel, list, SharedMemory } from '../../index.js'
import { memoryOf } from '../../__test__/channel/helpers/memory.ts'
import { uniqueName } from '../../__test__/shared/names.ts'
import { prepared } from '../../__test__/shared/prepared.ts'
import {
  LEDGER_BYTES,
  ledgerName,
  missing,
  noteReceived,
  SENDERS,
  type Stamped,
  stamp,
  unstamp,
} from '../channel-messages.ts'
import { largest, ms, random } from '../figures.ts'
import { Control, Watch } from '../pauses.ts'
import { child, Program } from '../program.ts'
import type { Promised, Trial } from '../promise.ts'

/** Processes at a time: half of them send, and one of each half is in C where there is a compiler. */
const CROWD = 8

/** The length of the long form, in milliseconds. */
const LONG = 60_000

/** The kills of one channel; then the next one begins, with another codec. */
const ROUND = 10

/** The longest pause of the living that counts as none, beside the time in which the machine itself pauses. */
const PAUSE = 200

/** The longest single pause: a busy machine may be late once in EVERY kills. */
const SINGLE_PAUSE = 500
const EVERY = 20

const CODECS = ['structured', 'bytes', 'json'] as const

const promised: Promised = {
  promise:
    'senders and receivers of a channel are killed at any moment: no message is doubled, torn or out of order, at most one is lost for each killed receiver, and the others go on',
  trials: { long: 1_000, short: 40 },
  limit: 300,
  async run(trial) {
    const storm = new Storm(trial)
    await storm.start()
    try {
      for (let round = 0; !storm.isOver; round++) await storm.round(round)
    } finally {
      await storm.stop()
    }
    return storm.figures()
  },
}
export default promised

/** Channels one after the other, whose senders and receivers are killed. The senders of all of them have one ledger. */
class Storm {
  readonly #trial: Trial
  readonly #objects = count()
  readonly #ledger: SharedMemory
  readonly #ledgerName: string
  readonly #words: Int32Array
  readonly #until = performance.now() + LONG
  /** The command of the C peer. */
  readonly #c: readonly string[] | undefined
  readonly #whyNoC: string | undefined
  #control: Control | undefined
  #pauses: (readonly [from: number, to: number])[] = []
  #nextSender = 0
  #kills = 0
  #killedReceivers = 0
  #killedInC = 0
  #messages = 0
  #lost = 0
  #rounds = 0
  #wraps = 0

  constructor(trial: Trial) {
    this.#trial = trial
    this.#ledgerName = ledgerName(uniqueName(trial))
    this.#ledger = SharedMemory.create(this.#ledgerName, { size: LEDGER_BYTES })
    this.#words = new Int32Array(this.#ledger.buffer)
    const { command, missing: why } = prepared('c')
    this.#c = process.platform === 'linux' ? command : undefined
    this.#whyNoC = process.platform === 'linux' ? why : 'it needs Linux'
  }

  async start(): Promise<void> {
    this.#control = await Control.start(this.#trial)
  }

  /** A long run ends by the clock, a short one after so many kills. */
  get isOver(): boolean {
    if (this.#nextSender > SENDERS - 2 * CROWD - ROUND) return true
    return this.#trial.long ? performance.now() > this.#until : this.#kills >= this.#trial.count
  }

  async round(number: number): Promise<void> {
    const name = uniqueName(this.#trial)
    const codec = CODECS[number % CODECS.length] ?? 'structured'
    const channel = Channel.create<Stamped>(name, { capacity: 8192, codec })
    const start = belowWrap(name, number)
    let kills = 0
    const one = async (role: 'send' | 'receive', place: number) => {
      const inC = this.#c !== undefined && place < 2
      for (;;) {
        const began = performance.now()
        const program = this.#begin(name, role, inC)
        await program.next()
        const complaints = this.#listen(program)
        // About half of the crowd is at work at any moment, on a busy machine too.
        await sleep(random(2 * Math.max(performance.now() - began, 50)))
        const over = kills >= ROUND
        kills += 1
        this.#kills += 1
        this.#trial.made()
        if (role === 'receive') this.#killedReceivers += 1
        if (inC) this.#killedInC += 1
        program.kill('SIGKILL')
        await program.exit
        await complaints
        if (over) return
      }
    }
    const watch = new Watch(() => {
      const { received, senders, receivers } = channel.info()
      // Without a sender and a receiver nothing moves.
      return senders.length === 0 || receivers.length === 0 ? undefined : received
    }, this.#control?.pauses ?? [])
    await Promise.all(Array.from({ length: CROWD }, (_, place) => one(place % 2 ? 'send' : 'receive', place)))
    watch.stop()
    this.#pauses.push(...watch.spans)
    await this.#receiveRest(channel)
    this.#messages += channel.info().sent
    this.#rounds += 1
    if (hasWrapped(name, start)) this.#wraps += 1
    channel.unlink()
    channel.close()
  }

  /** A process of the crowd, of this package or in C. */
  #begin(name: string, role: 'send' | 'receive', inC: boolean): Program {
    const own = role === 'send' ? this.#nextSender++ : random(1_000_000)
    const args = [this.#ledgerName, own, SENDERS]
    if (!inC) return child(this.#trial, 'killed-channels', { args: [name, role, ...args] })
    const verb = role === 'send' ? ['stamp', name, ...args.slice(0, 2)] : ['check', name, ...args]
    const program = new Program([...(this.#c ?? []), 'channel', ...verb.map(String)])
    this.#trial.teardown(() => program.kill())
    return program
  }

  /** What is left of a channel belongs to nobody: it is received here. */
  async #receiveRest(channel: Channel<Stamped>): Promise<void> {
    while (channel.info().messages > 0) {
      const message = unstamp(await channel.receive({ timeout: 5_000 }))
      const wrong = noteReceived(this.#words, SENDERS, -1, message)
      if (wrong !== undefined) this.#trial.lost(wrong)
    }
    await channel.send(stamp(channel.codec, 0, 0))
    const after = unstamp(await channel.receive({ timeout: 5_000 }))
    if (!after.whole || after.sequence !== 0) this.#trial.lost('the channel does not work any more')
  }

  /** Every line that a process prints is a complaint. */
  async #listen(program: Program): Promise<void> {
    for (let line: unknown; ; ) {
      line = await program.next()
      if (line === undefined) return
      this.#trial.lost(String(line))
    }
  }

  async stop(): Promise<void> {
    await this.#control?.stop()
    this.#lost = missing(this.#words, SENDERS)
    this.#ledger.unlink()
    this.#ledger.close()
  }

  figures(): string {
    const trial = this.#trial
    const [kills, ofReceivers] = [this.#kills, this.#killedReceivers]
    if (this.#lost > ofReceivers)
      trial.lost(`${this.#lost} messages are lost, and ${ofReceivers} receivers were killed`)
    const own = this.#pauses.map(span => this.#control?.without(span) ?? 0)
    const pause = largest(own)
    const whole = largest(this.#pauses.map(([from, to]) => to - from))
    const long = own.filter(time => time > PAUSE).length
    if (pause > SINGLE_PAUSE || long > kills / EVERY)
      trial.lost(
        `nothing was received for ${ms(pause)}, ${long} times for over ${PAUSE} ms, while the control went on`,
      )
    if (this.#wraps < this.#rounds)
      trial.lost(`only ${this.#wraps} of ${this.#rounds} channels crossed the wrap of positions`)
    if (count() !== this.#objects) trial.lost(`${count() - this.#objects} objects more than before`)
    const c = this.#c === undefined ? `none in C: ${this.#whyNoC ?? 'no peer'}` : `${this.#killedInC} in C`
    return (
      `${this.#messages} messages in ${this.#rounds} channels of all codecs, each across the wrap of positions; ` +
      `${kills} kills (${ofReceivers} of receivers, with ${this.#lost} messages; ${c}), ` +
      `longest pause ${ms(pause)} (${ms(whole)} with those of the control processes)`
    )
  }
}

/**
 * Moves the positions of an empty channel, which count units of 8 bytes, to right before 2^31 or 2^32; both are crossed in
 * the middle of the kills.
 */
function belowWrap(name: string, round: number): number {
  using memory = memoryOf(name)
  const words = new Int32Array(memory.buffer)
  const start = ((round % 2 === 0 ? 0x7fff_ffff : -1) - random(50_000)) | 0
  for (const offset of [64, 128]) words[offset / 4] = start
  return start
}

function hasWrapped(name: string, start: number): boolean {
  using memory = memoryOf(name)
  const position = new Int32Array(memory.buffer)[128 / 4] ?? 0
  return start > 0 ? position < 0 : position >= 0
}

function count(): number {
  const { semaphores, channels, memory } = list()
  const files = process.platform === 'win32' ? memory : readdirSync('/dev/shm')
  return semaphores.length + channels.length + files.length
}

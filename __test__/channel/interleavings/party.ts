// A process that sends and receives: a program for the code of a channel.

import { RECEIVERS_ASLEEP, SENDERS_ASLEEP } from '../../../.cache/built/lib/channel/layout.js'
import type { Line } from '../../../lib/channel/line.js'
import type { Objects } from '../../../lib/channel/objects.js'
import type { SemaphoreHandle } from '../../../lib/semaphore/handle.js'
import type { Product } from './link.ts'
import { CAPACITY, type Machine, type Running, STOP } from './machine.ts'

/** A step of a program. A message is its number; `patience: 'ends'` is a call that may give up at any moment. */
export type Step =
  | { do: 'send'; message: number; length?: number; patience?: 'ends' }
  | { do: 'receive'; patience?: 'ends' }
  | { do: 'drain' }
  | { do: 'end' }

/** What wakes a party that waits. */
export type Event = 'granted' | 'woken' | 'looks' | 'turn' | 'gives up'

export type Status = 'absent' | 'runs' | 'waits' | 'done' | 'dead'

/** What a party knows of itself. */
export class Party implements Running {
  readonly index: number
  readonly program: readonly Step[]
  log: unknown[] = []
  events: Event[] = []
  status: Status = 'absent'
  base = ''
  key = ''
  known: unknown[] = []
  before = ''
  step = 0
  sent: number[] = []
  received: number[] = []
  /** The channel has ended, and this party received all that was left. */
  drained = false
  /** What the present call may do besides waking up. */
  mayGiveUp = false
  looks = false
  hasTurn = false
  isGranted = false
  /** What its thread leaves behind when it is terminated, and the process lives. */
  leaves: number[] = []
  /** Whether it opens the channel when others use it already. */
  isLate = false
  /** An exception that no call may throw. */
  error: unknown

  constructor(index: number, program: readonly Step[]) {
    this.index = index
    this.program = program
  }

  snapshot(): Party {
    const copy = Object.assign(new Party(this.index, this.program), this)
    copy.log = [...this.log]
    copy.events = [...this.events]
    copy.known = [...this.known]
    return copy
  }
}

/** Runs a party from its beginning, over what it did before, for as many new operations as it may do. */
export function run(product: Product, machine: Machine, party: Party, allowed: number): void {
  machine.begin(party, allowed)
  party.error = undefined
  const life = new Life(product, machine, party)
  try {
    life.begin()
    for (const event of party.events) {
      if (machine.stopped) break
      life.handle(event)
    }
  } catch (error) {
    if (error !== STOP && !machine.stopped) party.error = error
  }
  party.sent = life.sent
  party.received = life.received
  party.drained = life.drained
  party.status = machine.stopped ? 'runs' : life.isDone ? 'done' : 'waits'
  party.looks = machine.watch !== undefined
  party.hasTurn = machine.immediate !== undefined
  party.mayGiveUp = life.mayGiveUp
  party.isGranted = life.isGranted
  party.step = life.step
  if (party.status === 'runs') return
  party.before = ''
  life.standsAt(party.status)
}

/** One run of a party. */
class Life {
  step = 0
  sent: number[] = []
  received: number[] = []
  drained = false
  isGranted = false

  readonly #product: Product
  readonly #machine: Machine
  readonly #party: Party
  #ended = false
  #giveUp: (() => void) | undefined

  constructor(product: Product, machine: Machine, party: Party) {
    this.#product = product
    this.#machine = machine
    this.#party = party
  }

  get isDone(): boolean {
    return this.step === this.#party.program.length
  }

  get mayGiveUp(): boolean {
    return this.#giveUp !== undefined
  }

  #sends!: Line
  #receives!: Line
  #outbox!: InstanceType<Product['Outbox']>
  #attempts!: Record<Step['do'], (step: Step) => unknown>

  begin(): void {
    const { Seat, Ring, Outbox, Inbox, Line, DRAINED, NOTHING, LATER } = this.#product
    const machine = this.#machine
    const objects = {
      buffer: BUFFER,
      memory: { number: 1 },
      postReceivers: () => machine.post(1),
      postSenders: () => machine.post(2),
    } as unknown as Objects
    machine.isBefore = !this.#party.isLate
    const seat = new Seat('model', objects)
    const ring = new Ring('model', objects.buffer, CAPACITY, seat)
    machine.isBefore = false
    const [outbox, inbox] = [new Outbox('model', ring, 1), new Inbox('model', ring, 1)]
    this.#outbox = outbox
    const line = (side: 'send' | 'receive', asleep: number, number: number) =>
      new Line('model', ring, {
        side,
        asleep,
        semaphore: { number, referenced: true, waits: 0, use: () => number } as unknown as SemaphoreHandle,
        timedOut: () => {
          throw new Error('no call of a model has a timeout')
        },
        checkOpen: () => {},
        spin: () => side === 'receive',
      })
    this.#sends = line('send', SENDERS_ASLEEP, 2)
    this.#receives = line('receive', RECEIVERS_ASLEEP, 1)
    this.#attempts = {
      send: step => {
        const { message, length = 0 } = step as Extract<Step, { do: 'send' }>
        const encoded = { kind: message, length: 0, bytes: PAYLOADS[length] as Buffer, text: undefined }
        return outbox.trySend(encoded) ? this.sent.push(message) : LATER
      },
      receive: () => {
        const found = inbox.tryReceiveInto(TARGET)
        if (found === NOTHING) return LATER
        if (found === DRAINED) this.drained = true
        else this.received.push(ring.kind)
        return undefined
      },
      drain: () => {
        // A message is taken when its visit is over.
        const visited: number[] = []
        const number = inbox.drain(() => {
          this.received.push(...visited.splice(0))
          visited.push(ring.kind)
        }, CAPACITY)
        if (number === 0) return LATER
        this.received.push(...visited)
        return undefined
      },
      end: () => ring.end(),
    }
    this.#goOn()
  }

  handle(event: Event): void {
    const machine = this.#machine
    this.#attemptsSince = 0
    if (machine.isNew) this.standsAt(event)
    const { waiter, watch, immediate } = machine
    if (event === 'granted') {
      this.isGranted = true
      this.#waiter = waiter
      waiter?.grant()
      return
    }
    if (event === 'woken') {
      this.isGranted = false
      this.#waiter?.succeeded()
    } else if (event === 'looks') watch?.()
    else if (event === 'turn') {
      machine.immediate = undefined
      immediate?.()
    } else {
      const giveUp = this.#giveUp
      this.#giveUp = undefined
      this.#ended = true
      giveUp?.()
    }
    // The program goes on when all outcomes that came together are settled.
    if (this.#ended && !this.isGranted && !machine.stopped) {
      this.#next()
      this.#goOn()
    }
  }

  #waiter: Machine['waiter']
  /** The attempts since the call began, or was woken. */
  #attemptsSince = 0

  #next(): void {
    this.step += 1
    this.#ended = false
    this.#giveUp = undefined
    this.#attemptsSince = 0
    this.standsAt('begins')
  }

  /** The code remembers nothing more than this of what it did. */
  standsAt(place: string): void {
    if (!this.#machine.isNew) return
    this.#party.base = `${this.step} [${this.received}] ${place} ${this.isGranted} ${this.mayGiveUp} ${this.#party.known}`
    this.#party.key = ''
  }

  #goOn(): void {
    const machine = this.#machine
    while (!this.isDone) {
      const step = this.#party.program[this.step] as Step
      this.#begin(step)
      if (machine.stopped || !this.#ended) return
      this.#next()
      if (this.drained) this.step = this.#party.program.length
    }
  }

  #begin(step: Step): void {
    const { LATER } = this.#product
    const attempt = () => {
      try {
        const outcome = this.#attempts[step.do](step)
        if (outcome === LATER) {
          this.#attemptsSince += 1
          this.standsAt(`${this.#attemptsSince} times in vain`)
          return LATER
        }
      } catch (error) {
        if (error !== STOP && !this.#machine.stopped) {
          if ((error as { code?: string }).code === 'ERR_ENDED') this.drained = this.#ended = true
          else this.#party.error = error
        }
        throw error
      }
      this.#ended = true
      return undefined
    }
    if (step.do === 'end') {
      attempt()
      return
    }
    let listener: { handleEvent(): void } | undefined
    const signal = {
      aborted: false,
      reason: 'gave up',
      addEventListener(_: string, heard: { handleEvent(): void }) {
        listener = heard
      },
      removeEventListener() {},
    } as unknown as AbortSignal
    const line = step.do === 'send' ? this.#sends : this.#receives
    const attempts = step.do === 'send' ? this.#outbox.repeated(() => attempt() !== LATER) : attempt
    void line.wait(attempts, 'patience' in step ? { timeout: undefined, signal } : NO_LIMITS)
    if (this.#machine.stopped) return
    if ('patience' in step && !this.#ended) this.#giveUp = () => listener?.handleEvent()
  }
}

// What messages carry makes no difference: their kinds tell them apart.
const BUFFER = new ArrayBuffer(8192 + CAPACITY)
const TARGET = Buffer.alloc(CAPACITY)
const PAYLOADS = Array.from({ length: CAPACITY }, (_, length) => Buffer.alloc(length))

const NO_LIMITS = { timeout: undefined, signal: undefined }

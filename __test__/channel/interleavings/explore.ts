// Goes through the interleavings of a scenario, and looks for what must not happen.

import {
  BEGIN,
  END,
  identityOf,
  RECEIVE_LOCK,
  RECEIVERS_ASLEEP,
  SEND_LOCK,
  SENDERS_ASLEEP,
  SKIP,
} from '../../../.cache/built/lib/channel/layout.js'
import type { Product } from './link.ts'
import { type Machine, type Shared, UNITS } from './machine.ts'
import { type Event, Party, run, type Step } from './party.ts'

export interface Scenario {
  /** The programs of the parties. */
  parties: readonly (readonly Step[])[]
  /** How many parties may die, each at any moment. */
  deaths?: number
  /** How many threads may be terminated, each at any moment, in processes that live on. */
  terminations?: number
  /** Whether the last party opens the channel only after a death; it gets the slot of the dead. */
  joins?: boolean
  /** How many times a party may check again by time in the middle of everything. Where all is quiet it always may. */
  looks?: number
  /** How many times a party may be interrupted in the middle of its code; as often as possible when missing. */
  switches?: number
  /** Where the positions of the ring begin; 0 when missing. */
  start?: number
}

/** What must not happen, with the way there. */
export class Violation extends Error {
  readonly trace: readonly string[]

  constructor(what: string, trace: readonly string[]) {
    super(`${what}\n${trace.join('\n')}`)
    this.trace = trace
  }
}

export interface Coverage {
  states: number
  /** States in which nothing can go on. */
  ends: number
}

const OUTDATED: unique symbol = Symbol('outdated')

type Move = [party: number, act: 'runs' | 'takes' | 'dies' | 'is terminated' | 'leaves' | 'opens' | Event]

interface Saved {
  shared: Shared
  parties: Party[]
  budget: Budget
  steps: number
  last: number
}

interface Budget {
  deaths: number
  terminations: number
  looks: number
  switches: number
}

export class Explorer {
  readonly #product: Product
  readonly #machine: Machine
  readonly #scenario: Scenario
  #parties: Party[] = []
  #budget: Budget = { deaths: 0, terminations: 0, looks: 0, switches: 0 }
  /** The party that ran last. */
  #last = 0
  #trace: string[] = []
  readonly #seen = new Set<string>()
  /** The states on the way to the present one. */
  readonly #path = new Set<string>()
  #ends = 0

  constructor(product: Product, machine: Machine, scenario: Scenario) {
    this.#product = product
    this.#machine = machine
    this.#scenario = scenario
  }

  /** Goes through all interleavings. */
  all(): Coverage {
    return this.#search(() => this.#visit())
  }

  /** Goes as many ways, chosen by the random numbers. */
  some(times: number, random: () => number): Coverage {
    return this.#search(() => {
      for (let time = 0; time < times; time++) {
        if (time > 0) this.#start()
        this.#goOneWay(random)
      }
    })
  }

  #search(search: () => void): Coverage {
    this.#machine.clear()
    for (;;) {
      try {
        this.#start()
        search()
        return { states: this.#seen.size, ends: this.#ends }
      } catch (error) {
        if (error !== OUTDATED) throw error
        this.#seen.clear()
        this.#path.clear()
        this.#ends = 0
      }
    }
  }

  #start(): void {
    const { parties, deaths = 0, terminations = 0, looks = 0, joins = false, start = 0 } = this.#scenario
    const { switches = Number.POSITIVE_INFINITY } = this.#scenario
    const seats = joins ? parties.length - 1 : parties.length
    this.#budget = { deaths, terminations, looks, switches }
    this.#last = 0
    this.#parties = parties.map((program, index) => new Party(index, program))
    this.#trace = []
    this.#machine.reset({ seats, start, deaths: deaths > 0 }, parties.length)
    for (const party of this.#parties) {
      party.isLate = party.index >= seats
      if (!party.isLate) this.#run(party, 0)
    }
  }

  #goOneWay(random: () => number): void {
    for (;;) {
      const moves = this.#moves()
      // Deaths are rare, so that some of them are late.
      const likely = moves.filter(([, act]) => isUsual(act))
      const from = likely.length > 0 && random() > 0.02 ? likely : moves
      if (from.length === 0) break
      this.#do(from[Math.floor(random() * from.length)] as Move)
    }
    this.#ends += 1
    this.#check()
  }

  #visit(): void {
    const key = this.#key()
    if (this.#path.has(key)) throw this.#violation('the parties go round in circles')
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.#path.add(key)
    const moves = this.#moves()
    if (!moves.some(([, act]) => isUsual(act))) {
      this.#ends += 1
      this.#check()
    }
    const saved = this.#save()
    for (const move of moves) {
      this.#do(move)
      this.#visit()
      this.#restore(saved)
    }
    this.#path.delete(key)
  }

  #key(): string {
    const { deaths, terminations, looks, switches } = this.#budget
    const isBound = switches !== Number.POSITIVE_INFINITY
    const left = [deaths, terminations, looks, ...(isBound ? [switches, this.#last] : [])]
    const parties = this.#parties.map(({ status, base, key, before, leaves, received }) =>
      [status, base, key, before, leaves.join('.'), status === 'dead' ? received : ''].join(';'),
    )
    return `${this.#machine.key}|${left}|${parties.join('|')}`
  }

  #save(): Saved {
    return {
      shared: this.#machine.snapshot(),
      parties: this.#parties.map(party => party.snapshot()),
      budget: { ...this.#budget },
      steps: this.#trace.length,
      last: this.#last,
    }
  }

  #restore({ shared, parties, budget, steps, last }: Saved): void {
    this.#machine.restore(shared)
    this.#parties = parties.map(party => party.snapshot())
    this.#budget = { ...budget }
    this.#trace.length = steps
    this.#last = last
  }

  /** What can happen next. */
  #moves(): Move[] {
    const { units, waits, onItsWay } = this.#machine.shared
    const { deaths, terminations, looks } = this.#budget
    const moves: Move[] = []
    for (const { index, status, isGranted, hasTurn, leaves } of this.#parties) {
      if (status === 'runs') moves.push([index, 'runs'])
      if (leaves.length > 0) moves.push([index, 'leaves'])
      if (status === 'absent' && this.#parties.some(other => other.status === 'dead'))
        moves.push([index, 'opens'])
      if (status !== 'waits') continue
      const semaphore = waits[index] as number
      if (isGranted) moves.push([index, 'woken'])
      else if (onItsWay[index] !== 0) moves.push([index, 'granted'])
      else if (semaphore !== 0 && (units[semaphore] as number) > 0) moves.push([index, 'takes'])
      if (hasTurn) moves.push([index, 'turn'])
    }
    // The clock is slower than everything else, but for `looks`.
    for (const { index, status, mayGiveUp, isGranted, looks: canLook } of this.#parties) {
      if (status === 'waits') {
        if (canLook && !isGranted && (looks > 0 || this.#isTimeToLook(index))) moves.push([index, 'looks'])
        if (mayGiveUp) moves.push([index, 'gives up'])
      }
      if (status === 'runs' || status === 'waits') {
        if (deaths > 0) moves.push([index, 'dies'])
        if (terminations > 0) moves.push([index, 'is terminated'])
      }
    }
    if (this.#budget.switches > 0 || this.#parties[this.#last]?.status !== 'runs') return moves
    return moves.filter(([index, act]) => index === this.#last || !isOfCode(act))
  }

  /** Whether all is quiet after a death, so that a sleeper has the time to check again. */
  #isTimeToLook(index: number): boolean {
    const { units, waits, onItsWay, looked } = this.#machine.shared
    const goesOn = ({ index: other, status, isGranted, hasTurn, leaves }: Party) =>
      status === 'runs' ||
      leaves.length > 0 ||
      status === 'absent' ||
      (status === 'waits' &&
        (isGranted || hasTurn || onItsWay[other] !== 0 || (units[waits[other] as number] as number) > 0))
    const someDied = this.#parties.some(({ status }) => status === 'dead')
    return someDied && !(looked & (1 << index)) && !this.#parties.some(goesOn)
  }

  #do([index, act]: Move): void {
    const party = this.#parties[index] as Party
    const { shared } = this.#machine
    if (isOfCode(act)) {
      if (index !== this.#last && this.#parties[this.#last]?.status === 'runs') this.#budget.switches -= 1
      this.#last = index
    }
    this.#trace.push(`  ${index} ${act}${act === 'runs' ? `: ${party.before}` : ''}`)
    switch (act) {
      case 'runs':
        this.#run(party, 1)
        return
      case 'opens':
        this.#run(party, 0)
        return
      case 'takes': {
        const semaphore = shared.waits[index] as number
        shared.units[semaphore] = (shared.units[semaphore] as number) - 1
        shared.onItsWay[index] = semaphore
        return
      }
      case 'dies':
        this.#budget.deaths -= 1
        this.#end(party)
        shared.alive[index] = false
        return
      case 'is terminated': {
        this.#budget.terminations -= 1
        // The addon gives back a unit that was on its way, and then the slot and its locks.
        const semaphore = shared.onItsWay[index] as number
        if (semaphore !== 0) shared.units[semaphore] = (shared.units[semaphore] as number) + 1
        this.#end(party)
        party.leaves = [SEND_LOCK, RECEIVE_LOCK, identityOf(index + 1)]
        return
      }
      case 'leaves':
        this.#leave(party)
        return
      case 'looks':
        if (!this.#isTimeToLook(index)) this.#budget.looks -= 1
        shared.looked |= 1 << index
        break
      case 'granted':
        shared.waits[index] = 0
        shared.onItsWay[index] = 0
        break
    }
    party.events.push(act)
    this.#run(party, 0)
    // Only a call that gives up in between makes a difference.
    if (act === 'granted' && !party.mayGiveUp) this.#do([index, 'woken'])
  }

  #run(party: Party, allowed: number): void {
    run(this.#product, this.#machine, party, allowed)
    if (this.#machine.isOutdated) throw OUTDATED
    if (party.error !== undefined) throw this.#violation(`${party.index} failed: ${party.error}`)
  }

  /** The code of this party runs no more. */
  #end(party: Party): void {
    const { shared } = this.#machine
    party.status = 'dead'
    shared.waits[party.index] = 0
    shared.onItsWay[party.index] = 0
    shared.looked = 0
  }

  /** What `give_up` in crates/os-ipc/src/channel does, in its order. */
  #leave(party: Party): void {
    const [index, ...rest] = party.leaves as [number, ...number[]]
    party.leaves = rest
    this.#machine.giveUp(party, index)
    this.#machine.shared.looked = 0
    if (this.#machine.isOutdated) throw OUTDATED
  }

  // --- What must hold

  #violation(what: string): Violation {
    return new Violation(what, this.#trace)
  }

  /** Nothing can go on: every message is where it must be, and every call that waits has a reason. */
  #check(): void {
    const { memory } = this.#machine.shared
    const at = (word: number) => memory[word] as number
    const left = this.#left()
    const dead = this.#parties.filter(({ status }) => status === 'dead')
    this.#checkMessages(left, dead.length)

    const used = (at(END) - at(BEGIN)) | 0
    const isEndedFor = (party: Party) => party.drained
    for (const party of this.#parties) {
      if (party.status !== 'waits' || isEndedFor(party)) continue
      const step = party.program[party.step] as Step
      if (step.do !== 'send' && used > 0)
        throw this.#violation(`${party.index} waits for a message, and ${left} are there`)
      if (step.do === 'send' && used <= UNITS / 2 && this.#fits(step.length ?? 0, at(END), used))
        throw this.#violation(`${party.index} waits for room, and only ${used} units are in use`)
    }
    if (dead.length > 0) return
    if (at(SEND_LOCK) !== 0 || at(RECEIVE_LOCK) !== 0) throw this.#violation('a lock is held by nobody')
    for (const [side, word] of [
      ['send', SENDERS_ASLEEP],
      ['receive', RECEIVERS_ASLEEP],
    ] as const) {
      const asleep = this.#parties.filter(
        ({ status, program, step }) =>
          status === 'waits' && (program[step] as Step).do.startsWith(side === 'send' ? 'send' : 'rec'),
      )
      if (at(word) < asleep.length)
        throw this.#violation(`${asleep.length} sleep to ${side}, and ${at(word)} are counted`)
    }
  }

  #checkMessages(left: number[], dead: number): void {
    const received = this.#parties.flatMap(party => party.received)
    const all = [...received, ...left]
    const twice = all.find((message, place) => all.indexOf(message) !== place)
    if (twice !== undefined)
      throw this.#violation(`the message ${twice} is there twice: ${received}, ${left}`)
    for (const list of [...this.#parties.map(party => party.received), left]) {
      const wrong = list.find((message, place) =>
        list.slice(0, place).some(before => senderOf(before) === senderOf(message) && before > message),
      )
      if (wrong !== undefined) throw this.#violation(`the message ${wrong} came too late: ${list}`)
    }
    const missing = this.#parties.flatMap(party => party.sent).filter(message => !all.includes(message))
    // A dead receiver may have taken one, and only receivers can.
    const takers = this.#parties.filter(
      ({ status, program }) => status === 'dead' && program.some(({ do: what }) => what !== 'send'),
    )
    if (missing.length > takers.length || (dead === 0 && missing.length > 0))
      throw this.#violation(`the messages ${missing} are lost: ${received}, ${left}`)
    const unknown = all.find(message => !this.#knows(message))
    if (unknown !== undefined) throw this.#violation(`nobody sent the message ${unknown}`)
    const isEarly =
      this.#parties.some(party => party.drained && party.program.some(isReceive)) && left.length > 0
    if (isEarly) throw this.#violation(`a receiver was told the end, and ${left} are left`)
  }

  #knows(message: number): boolean {
    return this.#parties.some(({ program }) =>
      program.some(step => step.do === 'send' && step.message === message),
    )
  }

  /** The messages in the ring, read by the rules of docs/interop.md. */
  #left(): number[] {
    const { memory } = this.#machine.shared
    const found: number[] = []
    const used = ((memory[END] as number) - (memory[BEGIN] as number)) | 0
    if (used < 0 || used > UNITS) throw this.#violation(`${used} units are in use`)
    for (let left = used; left > 0; ) {
      const at = ((memory[END] as number) - left) & (UNITS - 1)
      const length = this.#machine.ringWord(2 * at)
      if (length === SKIP) {
        left -= UNITS - at
        continue
      }
      const units = (length + 15) >> 3
      if (length < 0 || units > left) throw this.#violation(`a message of ${length} bytes in ${left} units`)
      found.push(this.#machine.ringWord(2 * at + 1))
      left -= units
    }
    return found
  }

  #fits(length: number, end: number, used: number): boolean {
    const need = (length + 15) >> 3
    const tail = UNITS - (end & (UNITS - 1))
    return (need <= tail ? need : tail + need) <= UNITS - used
  }
}

function isReceive({ do: what }: Step): boolean {
  return what === 'receive' || what === 'drain'
}

/** Whether it runs code of the party. */
function isOfCode(act: Move[1]): boolean {
  return act !== 'dies' && act !== 'is terminated' && act !== 'leaves' && act !== 'takes'
}

/** Whether it happens by itself, sooner or later. */
function isUsual(act: Move[1]): boolean {
  return act !== 'dies' && act !== 'is terminated' && act !== 'gives up'
}

/** Messages are numbered from ten times their sender's number on. */
function senderOf(message: number): number {
  return Math.floor(message / 10)
}

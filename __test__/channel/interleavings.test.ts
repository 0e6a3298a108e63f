// Every interleaving of small programs, with deaths at every step. The code of lib/channel runs here as it is built; only
// its memory, its semaphores, its clock and the addon are replaced.
//
// The memory is sequentially consistent. In the scenarios with `switches` a party is interrupted that many times at most,
// apart from deaths; where it waits, any other one goes on.

import test from 'ava'

import { Explorer, type Scenario, Violation } from './interleavings/explore.ts'
import { link, type Mutation } from './interleavings/link.ts'
import { Machine } from './interleavings/machine.ts'
import type { Step } from './interleavings/party.ts'

const machine = new Machine()
const product = await link(machine)

/** A message of 0 bytes needs one of the ring's 8 units, and one of 24 bytes four. */
const send = (message: number, length = 0): Step => ({ do: 'send', message, length })
const receive: Step = { do: 'receive' }
const drain: Step = { do: 'drain' }
const nearWrap = 2 ** 31 - 2

const SCENARIOS = {
  'a sender and a receiver': {
    parties: [
      [send(1), send(2)],
      [receive, receive],
    ],
  },
  'a sender and a receiver, one of them dies': {
    parties: [
      [send(1), send(2)],
      [receive, receive],
    ],
    deaths: 1,
  },
  'a sender and a receiver, both die': { parties: [[send(1)], [receive]], deaths: 2 },
  'checks by time at any moment': { parties: [[send(1)], [receive]], looks: 2, deaths: 1 },
  'one message, two receivers': { parties: [[send(1)], [receive], [receive]], switches: 3 },
  'two messages, two receivers': { parties: [[send(1), send(2)], [receive], [receive]], switches: 2 },
  'two receivers, a party dies': {
    parties: [[send(1), send(2)], [receive], [receive]],
    deaths: 1,
    switches: 1,
  },
  'two senders': { parties: [[send(1), send(2)], [send(11)], [receive]], switches: 2 },
  'two senders, a party dies': { parties: [[send(1)], [send(11)], [receive]], deaths: 1, switches: 1 },
  'a full ring': {
    parties: [
      [send(1, 24), send(2, 24), send(3)],
      [receive, receive],
    ],
    switches: 3,
    start: nearWrap,
  },
  'a full ring, a party dies': {
    parties: [
      [send(1, 24), send(2, 24), send(3)],
      [receive, receive],
    ],
    deaths: 1,
    switches: 2,
    start: nearWrap,
  },
  'two senders and a full ring': {
    parties: [[send(1, 24), send(2, 24)], [send(11, 24)], [receive]],
    switches: 2,
    start: nearWrap,
  },
  'messages that skip the end of the ring': {
    parties: [
      [send(1, 16), send(2), send(3), send(4, 24)],
      [receive, drain],
    ],
    deaths: 1,
    switches: 2,
  },
  'two senders whose messages do not fit behind the end': {
    parties: [[send(1, 16), send(2), send(3), send(4, 24)], [send(11, 24)], [receive]],
    switches: 1,
  },
  'two receivers and three messages': {
    parties: [[send(1), send(2), send(3)], [receive, receive], [receive]],
    switches: 2,
  },
  'three senders, one dies': { parties: [[send(1)], [send(11)], [send(21)]], deaths: 1, switches: 2 },
  'a channel that ends': { parties: [[send(1)], [{ do: 'end' }], [receive, receive]], switches: 2 },
  'a receive that gives up': {
    parties: [[send(1)], [{ do: 'receive', patience: 'ends' }], [receive]],
    switches: 2,
  },
  'a send that gives up': {
    parties: [
      [send(1, 24), send(2, 24)],
      [{ do: 'send', message: 11, length: 24, patience: 'ends' }],
      [receive],
    ],
    switches: 1,
  },
  'a thread that is terminated': { parties: [[send(1), send(2)], [receive]], terminations: 1 },
  'two receivers, a thread is terminated': {
    parties: [[send(1)], [receive], [receive]],
    terminations: 1,
    switches: 1,
  },
  'a newcomer gets the slot of the dead': {
    parties: [[send(1)], [receive], [send(11)]],
    deaths: 1,
    joins: true,
    switches: 1,
  },
  'a sender gets the slot of a dead receiver': {
    parties: [[send(1), send(2)], [receive], [receive], [send(11)]],
    deaths: 1,
    joins: true,
    switches: 1,
  },
} satisfies Record<string, Scenario>

for (const [title, scenario] of Object.entries(SCENARIOS)) {
  test.serial(`in every order, nobody waits in vain and no message is lost or doubled: ${title}`, t => {
    const begin = performance.now()
    const { states, ends } = new Explorer(product, machine, scenario).all()
    t.log(`${states} states, ${ends} ends, ${Math.round(performance.now() - begin)} ms`)
    t.true(states > 50 && ends > 1)
  })
}

interface Mutant extends Mutation {
  /** What the code does wrong. */
  title: string
  scenario: keyof typeof SCENARIOS
}

const MUTANTS: Mutant[] = [
  {
    title: 'a process sleeps without another attempt after it is counted',
    file: 'line',
    from: 'this.#counted = true;',
    to: 'this.#counted = true; if (this.#doze.begin()) { this.#startWatch(); return; }',
    scenario: 'a sender and a receiver',
  },
  {
    title: 'a sleeper is not counted again after a unit came',
    file: 'line',
    from: `else
            this.#counted = false;`,
    to: '',
    scenario: 'a full ring',
  },
  {
    title: 'a unit for a call that gave up is not passed on',
    file: 'line',
    from: 'this.#ring.passOn(this.#of.asleep);',
    to: ';',
    scenario: 'a receive that gives up',
  },
  {
    title: 'a sleeper never checks again by time',
    file: 'line',
    from: 'this.#watch ??= setTimeout(() => this.#look(), RECHECK).unref();',
    to: '',
    scenario: 'a sender and a receiver, one of them dies',
  },
  {
    title: 'a receiver does not wake the next one',
    file: 'ring',
    from: 'if (words[RECEIVERS_ASLEEP] !== 0 && this.used() !== 0)',
    to: 'if (false)',
    scenario: 'two messages, two receivers',
  },
  {
    title: 'a receiver looks for sleepers before it releases the lock',
    file: 'ring',
    from: `store(words, RECEIVE_LOCK, 0);
        if (load(words, SENDERS_ASLEEP) !== 0)
            this.passOn(SENDERS_ASLEEP);
        if (words[RECEIVERS_ASLEEP] !== 0 && this.used() !== 0)
            this.wakeReceiver();`,
    to: `if (load(words, SENDERS_ASLEEP) !== 0)
            this.passOn(SENDERS_ASLEEP);
        const wakes = words[RECEIVERS_ASLEEP] !== 0 && this.used() !== 0;
        store(words, RECEIVE_LOCK, 0);
        if (wakes) this.wakeReceiver();`,
    scenario: 'two messages, two receivers',
  },
  {
    title: 'a sender looks for sleepers before it publishes',
    file: 'ring',
    from: `store(words, END, this.#end);
        store(words, SEND_LOCK, 0);
        if (load(words, RECEIVERS_ASLEEP) !== 0)`,
    to: `const wakes = load(words, RECEIVERS_ASLEEP) !== 0;
        store(words, END, this.#end);
        store(words, SEND_LOCK, 0);
        if (wakes)`,
    scenario: 'a sender and a receiver',
  },
  {
    title: 'a sender decides by an old position whom it wakes',
    file: 'ring',
    from: `if (words[SENDERS_ASLEEP] !== 0)
            this.passOn(SENDERS_ASLEEP);`,
    to: 'if (words[SENDERS_ASLEEP] !== 0 && this.#free >= this.#units >> 1) this.wakeSender();',
    scenario: 'two senders and a full ring',
  },
  {
    title: 'a sender without room takes the lock again and again',
    file: 'outbox',
    from: 'if (isAsBefore && ring.state === 0)',
    to: 'if (false)',
    scenario: 'two senders whose messages do not fit behind the end',
  },
  {
    title: 'a sender releases the lock before it publishes',
    file: 'ring',
    from: `store(words, END, this.#end);
        store(words, SEND_LOCK, 0);`,
    to: `store(words, SEND_LOCK, 0);
        store(words, END, this.#end);`,
    scenario: 'two senders',
  },
  {
    title: 'a receiver releases the lock before it takes',
    file: 'ring',
    from: 'storePosition(words, BEGIN, this.#begin);',
    to: 'store(words, RECEIVE_LOCK, 0); storePosition(words, BEGIN, this.#begin);',
    scenario: 'two messages, two receivers',
  },
  {
    title: 'a sender keeps the position of the receivers from before',
    file: 'ring',
    from: 'this.#seenBegin = load(this.words, BEGIN);',
    to: '',
    scenario: 'a full ring',
  },
  {
    title: 'a receiver does not notice that another one received',
    file: 'ring',
    from: 'const begin = words[BEGIN];',
    to: 'const begin = this.#received === 0 ? words[BEGIN] : this.#receivedTo;',
    scenario: 'two receivers and three messages',
  },
  {
    title: 'the lock of a living owner is broken',
    file: 'ring',
    from: 'this.seat.isDead(owner) && compareExchange',
    to: 'compareExchange',
    scenario: 'two senders',
  },
  {
    title: 'the lock of a dead owner is not broken',
    file: 'ring',
    from: 'this.seat.isDead(owner) && compareExchange',
    to: 'false && compareExchange',
    scenario: 'two receivers, a party dies',
  },
  {
    title: 'two processes break a lock at the same time',
    file: 'ring',
    from: 'return this.seat.isDead(owner) && compareExchange(words, lock, owner, mine) === owner;',
    to: 'return this.seat.isDead(owner) && (store(words, lock, mine), true);',
    scenario: 'three senders, one dies',
  },
  {
    title: 'a waker takes a sleeper from the count and does not post',
    file: 'ring',
    from: 'this.seat.postReceivers();\n    }\n    wakeSender',
    to: ';\n    }\n    wakeSender',
    scenario: 'a sender and a receiver',
  },
  {
    title: 'the end is found before the lock of the last sender',
    file: 'ring',
    from: 'if (owner !== 0 && owner !== this.#mine && !this.seat.isDead(owner))',
    to: 'if (false)',
    scenario: 'a channel that ends',
  },
  {
    title: 'a newcomer keeps the generation of the dead',
    file: 'seat',
    from: 'Atomics.add(this.#words, generationOf(this.slot), 1) + 1',
    to: 'Atomics.load(this.#words, generationOf(this.slot))',
    scenario: 'a sender gets the slot of a dead receiver',
  },
]

for (const { title, scenario, ...mutation } of MUTANTS) {
  test.serial(`it is noticed that ${title}`, async t => {
    const mutant = await link(machine, mutation)
    const error = t.throws(() => new Explorer(mutant, machine, SCENARIOS[scenario]).all(), {
      instanceOf: Violation,
    })
    t.log(error?.message.split('\n')[0])
  })
}

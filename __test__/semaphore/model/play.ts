// Processes and the model play the same sequence of calls side by side.

import assert from 'node:assert/strict'

import fc from 'fast-check'

import type { Backend } from '../../../index.js'
import { type Child, child } from '../../shared/child.ts'
import type { Teardown } from '../../shared/names.ts'
import { Model } from './model.ts'

const PROCESSES = 3
const CALLS = [
  'create',
  'open',
  'openOrCreate',
  'value',
  'post',
  'wait',
  'acquire',
  'tryWait',
  'tryAcquire',
  'abort',
  'release',
  'close',
  'unlink',
] as const
/** The milliseconds within which an expected event has to happen. */
const PATIENCE = 30_000

/** The object of a sequence: a semaphore of one of the two backends, or a limit. */
export type Kind = Backend | 'limit'

/** One call of one process; `pick` chooses the wait to abort or the permit to release. */
export interface Step {
  readonly process: number
  readonly call: (typeof CALLS)[number]
  readonly pick: number
}

/** The report of a process after a call: the result of the call, and the earlier waits that ended, with their results. */
export interface Reply {
  readonly outcome: string
  readonly ended: readonly { readonly wait: number; readonly how: string }[]
}

/** Sequences of calls in 1 to 3 processes. */
export function steps(kind: Kind): fc.Arbitrary<Step[]> {
  const [take, tryTake, give] =
    kind === 'limit' ? ['acquire', 'tryAcquire', 'release'] : ['wait', 'tryWait', 'post']
  const call = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(take, take, give) },
    { weight: 2, arbitrary: fc.constantFrom('openOrCreate', give, 'abort') },
    { weight: 1, arbitrary: fc.constantFrom('create', 'open', 'value', tryTake, 'close', 'unlink') },
  ) as fc.Arbitrary<Step['call']>
  const processes = fc.integer({ min: 1, max: PROCESSES })
  return processes.chain(count =>
    fc.array(fc.record({ process: fc.nat({ max: count - 1 }), call, pick: fc.nat({ max: 5 }) }), {
      minLength: 5,
      maxLength: 40,
    }),
  )
}

/** The processes, which live through all sequences. */
export class Players {
  readonly #children: readonly Child[]
  readonly #kind: Kind

  constructor(t: Teardown, kind: Kind) {
    this.#kind = kind
    this.#children = Array.from({ length: PROCESSES }, () =>
      child(t, 'semaphore/model.ts', { args: [kind], limit: 600_000 }),
    )
  }

  /** Plays a sequence on a fresh name, and fails where a process and the model differ. */
  async play(name: string, sequence: readonly Step[]): Promise<void> {
    const model = new Model(this.#kind, PROCESSES)
    try {
      for (const process of this.#children.keys())
        await this.#step(model, name, { process, call: 'openOrCreate', pick: 1 })
      for (const step of sequence) await this.#step(model, name, step)
    } finally {
      for (const player of this.#children) await say(player, { call: 'reset' })
    }
  }

  async #step(model: Model, name: string, step: Step): Promise<void> {
    const expected = model.call(step)
    if (expected === undefined) return
    const player = this.#children[step.process] as Child
    const { outcome, ended } = await say(player, { ...step, ...expected.arguments, name })
    assert.equal(outcome, expected.outcome, `${step.call} in process ${step.process}`)
    model.ended(step.process, ended)
    const until = performance.now() + PATIENCE
    while (!model.isSettled) {
      assert.ok(performance.now() < until, `after ${step.call} a wait should have ended: ${model}`)
      for (const [process, other] of this.#children.entries()) {
        model.ended(process, (await say(other, { call: 'look' })).ended)
      }
    }
  }
}

async function say(player: Child, command: object): Promise<Reply> {
  player.send(command)
  return (await player.next()) as Reply
}

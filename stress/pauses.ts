// Pauses of processes, of which those are the machine's own in which a pair of control processes pauses too.

import { child } from './program.ts'
import type { Trial } from './promise.ts'

/** A time without progress, in milliseconds since the epoch. */
export type Span = readonly [from: number, to: number]

const now = () => performance.timeOrigin + performance.now()

/** Watches a number that grows while work goes on; `undefined` means that nobody is there to do the work. */
export class Watch {
  readonly spans: Span[] = []
  readonly #timer: NodeJS.Timeout
  readonly #own: Span[]

  constructor(read: () => number | undefined, own: Span[]) {
    this.#own = own
    let [before, since, tick] = [read(), now(), now()]
    this.#timer = setInterval(() => {
      const time = now()
      // This process did not run either.
      if (time - tick > 20) this.#own.push([tick, time])
      tick = time
      const value = read()
      if (value !== undefined && value === before) return
      this.spans.push([since, time])
      since = time
      before = value
    }, 5)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

/** The control processes, and what they and this process saw of the machine. */
export class Control {
  readonly pauses: Span[] = []
  readonly #program

  private constructor(program: ReturnType<typeof child>) {
    this.#program = program
  }

  static async start(trial: Trial): Promise<Control> {
    const program = child(trial, 'killed-channels-control')
    await program.next()
    const control = new Control(program)
    void control.#listen()
    return control
  }

  async #listen(): Promise<void> {
    for (let line: unknown; ; ) {
      line = await this.#program.next()
      if (line === undefined) return
      this.pauses.push(line as Span)
    }
  }

  async stop(): Promise<void> {
    this.#program.kill()
    await this.#program.exit
  }

  /** How long a span lasts without the time in which the machine paused. */
  without([from, to]: Span): number {
    let own = 0
    let covered = from
    for (const [begin, end] of this.pauses.toSorted((a, b) => a[0] - b[0])) {
      const [first, last] = [Math.max(begin, covered), Math.min(end, to)]
      if (last <= first) continue
      own += last - first
      covered = last
    }
    return to - from - own
  }
}

import type { Library } from '../core/command.js'
import { unicode } from '../core/output.js'
import { cutPainted } from '../core/text.js'
import { detailsOf } from '../show/details.js'
import { drawing } from '../show/watch.js'
import { CHROME, frame } from './frame.js'
import { Sampler } from './sampler.js'
import { press, selectedOf, type State } from './state.js'
import { Terminal, type TerminalEvent } from './terminal.js'

/** The number of bytes that the inspection of memory shows. */
const INSPECTED = 512

/** Draws the screen until the user quits, or `times` times. */
export async function live(ipc: Library, initial: State, interval: number, times: number): Promise<void> {
  const sampler = new Sampler(ipc)
  const events = new Events()
  const terminal = new Terminal(event => events.add(event))
  let state = initial
  sampler.look()
  state = { ...state, seen: sampler.collect() }
  terminal.open()
  try {
    const draw = () =>
      terminal.draw(frame(state, inspected(ipc, state, terminal.size.columns), terminal.size))
    let next = performance.now() + interval
    let drawn = 1
    draw()
    while (!state.quit && drawn < times) {
      const event = await events.next(Math.min(sampler.period, Math.max(0, next - performance.now())))
      if (event !== undefined) {
        if (typeof event === 'object') state = press(state, event.key, terminal.size.rows - CHROME)
        if (!state.quit) draw()
        continue
      }
      sampler.look()
      if (performance.now() < next) continue
      next = performance.now() + interval
      const seen = sampler.collect()
      if (state.paused) continue
      state = { ...state, seen }
      draw()
      drawn += 1
    }
  } finally {
    terminal.close()
  }
}

/** The lines of the selected item, when it is inspected. */
function inspected(ipc: Library, state: State, columns: number): string[] {
  const selected = selectedOf(state)
  if (state.screen !== 'details' || selected === undefined) return []
  const lines = drawing(detailsOf(ipc, selected.item, { offset: 0, length: INSPECTED }))
  return lines.map(line => cutPainted(line, columns, unicode() ? '…' : '~'))
}

/** Events, for a loop that waits for the next one. */
class Events {
  readonly #queue: TerminalEvent[] = []
  #wake: (() => void) | undefined

  add(event: TerminalEvent): void {
    this.#queue.push(event)
    this.#wake?.()
  }

  /** The next event; undefined when none comes within this number of milliseconds. */
  async next(milliseconds: number): Promise<TerminalEvent | undefined> {
    if (this.#queue.length === 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, milliseconds)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = undefined
    }
    return this.#queue.shift()
  }
}

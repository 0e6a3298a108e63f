// The output: on a terminal a picture that is redrawn, elsewhere plain lines.

import { HASHES, STARTS, WAITS } from './board.mjs'

const BAR = 40
const SMALL_BAR = 12
const FRAME = 80

const DIM = 2
const RED = 31
const GREEN = 32
const YELLOW = 33

const { stdout } = process
const terminal = stdout.isTTY === true && process.env.TERM !== 'dumb'
const colors = terminal && (process.env.NO_COLOR ?? '') === ''

const paint = (code, text) => (colors ? `\x1b[${code}m${text}\x1b[0m` : text)
const bar = (share, width) =>
  `[${'#'.repeat(Math.round(share * width))}${'.'.repeat(width - Math.round(share * width))}]`
const percent = share => `${Math.floor(share * 100)} %`.padStart(5)

export class Screen {
  #start = performance.now()
  #lines = 0
  #last = 0

  /** Prints a line that stays. */
  say(text) {
    this.#erase()
    stdout.write(`${text}\n`)
  }

  /** Reports an event. */
  happened(text, color) {
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(2)
    this.say(`${seconds.padStart(6)} s  ${color === undefined ? text : paint(color, text)}`)
  }

  slow(text) {
    this.happened(text, YELLOW)
  }

  bad(text) {
    this.happened(text, RED)
  }

  /** Prints details that the picture of a terminal shows anyway. */
  detail(text) {
    if (!terminal) this.happened(text)
  }

  proof({ ok, text }) {
    this.say(`${ok ? paint(GREEN, 'proved') : paint(RED, 'NOT PROVED')}: ${text}`)
  }

  loading(share) {
    this.#draw([`${bar(share, BAR)} ${percent(share)}  into shared memory`], share === 1)
  }

  working(board, crew) {
    const share = board.slicesDone / board.slices
    const whole = `${bar(share, BAR)} ${percent(share)}  ${board.slicesDone} of ${board.slices} slices`
    this.#draw([whole, ...crew.map(member => describe(board, member))], share === 1)
  }

  /** Removes the picture. */
  end() {
    this.#erase()
    if (terminal) stdout.write('\x1b[?25h')
  }

  #draw(lines, now) {
    if (!terminal || (!now && performance.now() - this.#last < FRAME)) return
    this.#last = performance.now()
    const fitting = lines.slice(0, Math.max(1, (stdout.rows || 24) - 1))
    this.#erase()
    // No cursor while the picture moves; without line wrap, a narrow terminal cannot break it.
    stdout.write(`\x1b[?25l\x1b[?7l${fitting.map(line => `${line}\n`).join('')}\x1b[?7h`)
    this.#lines = fitting.length
  }

  #erase() {
    if (this.#lines > 0) stdout.write(`\x1b[${this.#lines}A\x1b[J`)
    this.#lines = 0
  }
}

function describe(board, { worker, pid, killedAt, ended }) {
  const who = `  worker ${worker}  pid ${String(pid).padEnd(7)} `
  const done = `${board.done(worker)} done`.padStart(8)
  if (killedAt) return paint(RED, `${who}${done}  killed while it held a permit`)
  if (ended) return paint(DIM, `${who}${done}  has ended`)
  switch (board.phase(worker)) {
    case HASHES: {
      const share = board.progress(worker) / 100
      const slice = `slice ${(board.sliceOf(worker) ?? 0) + 1}`
      return paint(GREEN, `${who}${done}  ${bar(share, SMALL_BAR)} holds a permit, hashes ${slice}`)
    }
    case WAITS:
      return `${who}${done}  waits for a permit`
    case STARTS:
      return paint(DIM, `${who}${done}  starts`)
    default:
      return paint(DIM, `${who}${done}  rests`)
  }
}

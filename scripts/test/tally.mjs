// Counts tests from the output of their runners: cargo's result lines and the TAP of ava. Of the linters, only failures
// count. Keeps what the runners said about each failure, because a log of CI is often read from its end.

const CARGO = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/
const CARGO_SAID = /^---- (.*) stdout ----$/
const TAP = /^(not ok|ok) (?:\d+ )?(?:- )?(.*)$/
const SKIPPED = /# (SKIP|TODO)\b/i
const LINT_FAILED = /^lint failed: (.*)$/
/** The most lines that are kept of one failure. */
const LINES = 20

export class Tally {
  passed = 0
  failed = 0
  skipped = 0
  /** The failures: a name, and the lines that the runner printed about it. */
  problems = []

  /** The begun line of each stream. */
  #begun = new Map()
  #failedBefore = 0
  /** The last lines of this step. */
  #recent = []
  /** The lines of the failure that the runner prints at this moment. */
  #said = undefined
  /** The failures of cargo's present test program. */
  #ofCargo = []

  /** Takes any piece of a runner's output; the pieces of two streams do not mix within a line. */
  add(text, stream = 'stdout') {
    const lines = ((this.#begun.get(stream) ?? '') + text).split('\n')
    this.#begun.set(stream, lines.pop())
    for (const line of lines) this.#line(line.trimEnd())
  }

  /** Counts one more failure for a step that fails without a failed test (a failed build, leftovers). */
  endStep(name, code) {
    for (const stream of this.#begun.keys()) this.add('\n', stream)
    if (code !== 0 && this.failed === this.#failedBefore)
      this.#fail(`${name} (exit code ${code})`, this.#recent)
    this.#failedBefore = this.failed
    this.#recent = []
    this.#said = undefined
  }

  /** The failures, each with what was said about it. */
  report() {
    return this.problems.map(({ name, said }) =>
      [`failed: ${name}`, ...said.map(line => `    ${line}`)].join('\n'),
    )
  }

  toString() {
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : ''
    return `${this.passed} passed, ${this.failed} failed${skipped}`
  }

  #line(line) {
    if (line !== '') this.#recent = [...this.#recent.slice(1 - LINES), line]
    if (!this.#isResult(line) && line !== '' && this.#said && this.#said.length < LINES) this.#said.push(line)
  }

  /** Counts a line that is a result; the lines behind a failure tell about it. */
  #isResult(line) {
    const [, test] = CARGO_SAID.exec(line) ?? []
    if (test) {
      this.#said = []
      this.#ofCargo.push({ name: `cargo test: ${test}`, said: this.#said })
      return true
    }
    const cargo = CARGO.exec(line)
    if (cargo) this.#cargo(...cargo.slice(1).map(Number))
    const [, result, title] = TAP.exec(line) ?? []
    if (result) this.#said = undefined
    if (title !== undefined && SKIPPED.test(title)) this.skipped += 1
    else if (result === 'ok') this.passed += 1
    else if (result === 'not ok') this.#said = this.#fail(title)
    const [, linter] = LINT_FAILED.exec(line) ?? []
    if (linter) this.#fail(linter, this.#recent.slice(0, -1))
    return Boolean(cargo || result || linter)
  }

  #cargo(passed, failed, ignored) {
    this.passed += passed
    this.skipped += ignored
    this.failed += failed
    // A test that ends its program says nothing.
    const named = this.#ofCargo.slice(0, failed)
    const others = failed - named.length
    this.problems.push(...named, ...(others > 0 ? [{ name: `${others} of cargo test`, said: [] }] : []))
    this.#ofCargo = []
    this.#said = undefined
  }

  #fail(name, said = []) {
    this.failed += 1
    const lines = [...said]
    this.problems.push({ name, said: lines })
    return lines
  }
}

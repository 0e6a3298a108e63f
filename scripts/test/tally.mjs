// Counts tests from the output of their runners: cargo's result lines and the TAP of ava. Of the linters, only failures
// count.

const CARGO = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/
const TAP = /^(not ok|ok) (?:\d+ )?(?:- )?(.*)$/
const SKIPPED = /# (SKIP|TODO)\b/i
const LINT_FAILED = /^lint failed: (.*)$/

export class Tally {
  passed = 0
  failed = 0
  skipped = 0
  /** The failures, by name where they have one. */
  problems = []

  #rest = ''
  #failedBefore = 0

  /** Takes any piece of a runner's output. */
  add(text) {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()
    for (const line of lines) this.#line(line.trimEnd())
  }

  /** Counts one more failure for a step that fails without a failed test (a failed build, leftovers). */
  endStep(name, code) {
    this.add('\n')
    if (code !== 0 && this.failed === this.#failedBefore) this.#fail(`${name} (exit code ${code})`)
    this.#failedBefore = this.failed
  }

  toString() {
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : ''
    return `${this.passed} passed, ${this.failed} failed${skipped}`
  }

  #line(line) {
    const cargo = CARGO.exec(line)
    if (cargo) {
      const [passed, failed, ignored] = cargo.slice(1).map(Number)
      this.passed += passed
      this.failed += failed
      this.skipped += ignored
      if (failed > 0) this.problems.push(`${failed} of cargo test`)
      return
    }
    const [, result, title] = TAP.exec(line) ?? []
    if (title !== undefined && SKIPPED.test(title)) this.skipped += 1
    else if (result === 'ok') this.passed += 1
    else if (result === 'not ok') this.#fail(title)
    const [, linter] = LINT_FAILED.exec(line) ?? []
    if (linter) this.#fail(linter)
  }

  #fail(name) {
    this.failed += 1
    this.problems.push(name)
  }
}

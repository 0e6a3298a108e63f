import { EXIT } from './exit.js'

/** An error for the user in one line: the cause, the cure, and the exit code. */
export class Failure extends Error {
  readonly cure: string | undefined
  readonly exit: number

  constructor(cause: string, cure?: string, exit: number = EXIT.failed) {
    super(cause)
    this.cure = cure
    this.exit = exit
  }

  /** `cause; cure`, on one line whatever is in it. A sentence that something follows has no full stop. */
  get line(): string {
    return sentence(this.message, this.cure)
  }
}

/** The command line is wrong. */
export function usage(cause: string, cure?: string): Failure {
  return new Failure(cause, cure, EXIT.usage)
}

/** The parts of a sentence, as one line: `the cause; the cure`. */
export function sentence(...parts: readonly (string | undefined)[]): string {
  const texts = parts.flatMap(part => part?.replaceAll(/\s*\n\s*/g, ' ').trim() || [])
  return texts.map((text, at) => (at < texts.length - 1 ? text.replace(/[.;:,]+$/, '') : text)).join('; ')
}

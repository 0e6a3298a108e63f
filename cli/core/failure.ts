import { EXIT } from './exit.js'

/** Something to tell the user in one line: the cause, the cure, and the exit code. */
export class Failure extends Error {
  readonly cure: string | undefined
  readonly exit: number

  constructor(cause: string, cure?: string, exit: number = EXIT.failed) {
    super(cause)
    this.cure = cure
    this.exit = exit
  }

  /** `cause; cure`, on one line whatever is in it. */
  get line(): string {
    const line = this.cure === undefined ? this.message : `${this.message}; ${this.cure}`
    return line.replaceAll(/\s*\n\s*/g, ' ')
  }
}

/** The command line is wrong. */
export function usage(cause: string, cure?: string): Failure {
  return new Failure(cause, cure, EXIT.usage)
}

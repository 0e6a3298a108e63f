import { outOfRange, wrongType, wrongValue } from '../errors.js'
import type { OptionNames } from '../misuse.js'
import { checkInteger, checkOptions } from '../options.js'

/** The options of a limit on Redis. All users of a name must give the same `permits` and `lease`. */
export interface RedisLimitOptions {
  /** The number of permits, 1 to 1,000,000. Redis does not record it: give every process the same number. */
  permits: number
  /**
   * Milliseconds without a refresh after which others can take a permit; 300 to 86,400,000, and 10,000 when missing. All
   * users of the name must give the same value.
   */
  lease?: number | undefined
  /**
   * Milliseconds between two polls of this process while it waits, 1 to 60,000; 10 when missing. A hand-over between
   * processes takes half of this time on average.
   */
  poll?: number | undefined
}

const NAMES: OptionNames<RedisLimitOptions> = { permits: true, lease: true, poll: true }

/** The options, checked and complete. */
export interface Settings {
  readonly permits: number
  readonly lease: number
  readonly poll: number
}

/** The most bytes after the slash of a name: the same as for a limit of one machine. */
const NAME_BYTES = 250

export function checkSettings(options: unknown): Settings {
  const given: Partial<RedisLimitOptions> = checkOptions(options as RedisLimitOptions | undefined, NAMES)
  return {
    permits: checkInteger('permits', given.permits, 1, 1_000_000),
    lease: given.lease === undefined ? 10_000 : checkInteger('lease', given.lease, 300, 86_400_000),
    poll: given.poll === undefined ? 10 : milliseconds('poll', given.poll, 1, 60_000),
  }
}

/** A name in the form that `Limit` takes, with its slash, so that one class can replace the other. */
export function checkSharedName(name: unknown): string {
  if (typeof name !== 'string') throw wrongType('name', 'a string', name)
  if (!name.isWellFormed()) throw wrongValue('a name is well-formed Unicode: it has a lone surrogate')
  const rest = name.startsWith('/') ? name.slice(1) : name
  if (rest === '') throw wrongValue('the name is empty')
  if (rest.includes('/')) throw wrongValue(`a name has no slash but the first: '/${rest}'`)
  if (rest.includes('..')) throw wrongValue(`a name has no '..': '/${rest}'`)
  if (rest.includes('\0')) throw wrongValue('a name has no NUL byte')
  if (Buffer.byteLength(rest) > NAME_BYTES) {
    throw wrongValue(`a name has at most ${NAME_BYTES} bytes after its slash, this one has more`)
  }
  return `/${rest}`
}

function milliseconds(what: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number') throw wrongType(what, 'a number of milliseconds', value)
  if (!(value >= least && value <= most)) throw outOfRange(what, `from ${least} to ${most}`, value)
  return value
}

import { outOfRange, wrongType, wrongValue } from '../errors.js'
import { checkInteger, checkOptions } from '../options.js'

/** What everybody who uses a name has to agree on, and how patient this process is. */
export interface RedisLimitOptions {
  /** How many permits there are, 1 to 1,000,000. Redis does not record it: give every process the same number. */
  permits: number
  /**
   * Milliseconds after which the permit of a process that is not heard of any more belongs to others; 300 to 86,400,000,
   * and 10,000 when missing. The same for everybody who uses the name.
   */
  lease?: number | undefined
  /**
   * Milliseconds between two looks of this process while it waits, 1 to 60,000; 10 when missing. Half of it is what a
   * hand-over takes on average.
   */
  poll?: number | undefined
}

/** The options, checked and complete. */
export interface Settings {
  readonly permits: number
  readonly lease: number
  readonly poll: number
}

/** The most bytes that follow the slash of a name, as for a limit of one machine. */
const NAME_BYTES = 250

export function checkSettings(options: unknown): Settings {
  const given: Partial<RedisLimitOptions> = checkOptions(options as RedisLimitOptions | undefined)
  return {
    permits: checkInteger('permits', given.permits, 1, 1_000_000),
    lease: given.lease === undefined ? 10_000 : checkInteger('lease', given.lease, 300, 86_400_000),
    poll: given.poll === undefined ? 10 : milliseconds('poll', given.poll, 1, 60_000),
  }
}

/** A name as `Limit` takes it, with its slash: the two are exchanged for each other. */
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

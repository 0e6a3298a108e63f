import { define } from '../own.js'

/** What a semaphore had before its permits became those of a limit. */
const WORDS = ['acquire', 'tryAcquire', 'acquireSync', 'use']

/** Has the words of a limit, called on a semaphore, say which class has them. The types have none of them. */
export function refuseWordsOfLimits(prototype: object): void {
  for (const word of WORDS) {
    const value = () => {
      throw define(
        new TypeError(
          `a semaphore has no ${word}(): its units have no owner. Limit has it: Limit.openOrCreate(name, { permits })`,
        ),
        'code',
        'ERR_WRONG_KIND',
      )
    }
    Object.defineProperty(prototype, word, { value, configurable: true, writable: true })
  }
}

import { define } from '../own.js'

/** The methods of a limit that semaphores once had. */
const WORDS = ['acquire', 'tryAcquire', 'acquireSync', 'use']

/** Makes a limit's method on a semaphore throw an error that names Limit. The types do not have these methods. */
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
    Object.defineProperty(prototype, word, {
      __proto__: null,
      value,
      configurable: true,
      writable: true,
    } as PropertyDescriptor)
  }
}

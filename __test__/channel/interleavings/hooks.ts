/** The arrays that the code of a channel makes over its memory. */
export interface Words {
  [index: number]: number
}

/** What the code of a channel finds in the place of the globals, the addon and the clock. */
export interface Hooks {
  Atomics: {
    load(array: object, index: number): number | bigint
    store(array: object, index: number, value: number): number
    compareExchange(
      array: object,
      index: number,
      expected: number | bigint,
      value: number | bigint,
    ): number | bigint
    add(array: object, index: number, value: number): number
    or(array: object, index: number, value: number): number
    exchange(array: object, index: number, value: number): number
  }
  Promise: { withResolvers(): object; reject(): object }
  Int32Array: new () => Words
  BigUint64Array: new () => object
  native: {
    processIdentity(): { pid: number; started: number; namespace: number }
    processIsDead(pid: number): boolean
    channelEnter(memory: number): void
    channelSeat(memory: number, slot: number, word: number): void
    startWait(semaphore: number): number
    cancelWait(semaphore: number, ticket: number): void
  }
  setTimeout(fire: () => void): unknown
  clearTimeout(): void
  setImmediate(fire: () => void): void
  performance: { now(): number }
  expect(ticket: number, waiter: Waiter): void
  forget(ticket: number): boolean
}

/** A wait that the addon would settle. */
export interface Waiter {
  grant(): void
  succeeded(): void
}

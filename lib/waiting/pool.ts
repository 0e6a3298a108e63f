import { availableParallelism } from 'node:os'

import { isMainThread } from './main-thread.js'
import { runtime } from '../addon/runtime.js'

const VARIABLE = 'UV_THREADPOOL_SIZE'

/** The bounds that libuv gives to UV_THREADPOOL_SIZE. */
const SMALLEST = 1
const LARGEST = 1024
const DEFAULT = 4

/**
 * How many threads this runtime's pool has for addons; 0 where none of them may block.
 *
 * A worker's environment cannot end while a task of it blocks in the pool, so a worker stays out of it.
 */
export function poolThreads(): number {
  if (!isMainThread) return 0
  if (runtime === 'bun') return availableParallelism()
  if (runtime === 'deno') return 0
  return Math.min(threads(process.env[VARIABLE]), threads(atStart()))
}

/** As libuv reads it: atoi(3), which makes 0 of what is no number. */
function threads(size: string | undefined): number {
  if (size === undefined) return DEFAULT
  return Math.min(Math.max(Number.parseInt(size, 10) || SMALLEST, SMALLEST), LARGEST)
}

/**
 * What the process was started with. The pool starts with its first task, and a program that sets the variable itself
 * may be early enough or not: the smaller number is the safe one.
 */
function atStart(): string | undefined {
  try {
    // To import it would also load all of its parts that Node itself loads when they are needed.
    const { readFileSync } = process.getBuiltinModule('node:fs')
    const variables = readFileSync('/proc/self/environ', 'latin1').split('\0')
    return variables.find(variable => variable.startsWith(`${VARIABLE}=`))?.slice(VARIABLE.length + 1)
  } catch {
    return undefined // no Linux: at most the default's share
  }
}

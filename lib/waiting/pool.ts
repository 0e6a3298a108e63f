import { setTimeout } from './clock.js'
import { native } from '../addon/native.js'
import { evaluation } from './settling.js'

let timer: NodeJS.Timeout | undefined

/**
 * Called when a wait begins that the addon may have given to the runtime's pool. If the pool does not run it, the addon takes
 * it back after a moment. The addon alone decides how long that is, and which waits run in the pool.
 */
export function guardPool(): void {
  if (evaluation.poolPatience === 0 || timer !== undefined) return
  timer = setTimeout(() => {
    timer = undefined
    native.leavePoolQueue()
  }, evaluation.poolPatience).unref()
}

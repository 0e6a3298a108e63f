import { setTimeout } from './clock.js'
import { native } from '../addon/native.js'
import { evaluation } from './settling.js'

let timer: NodeJS.Timeout | undefined

/**
 * A wait begins, which the addon may have given to the runtime's pool. If the pool does not come to it, the addon takes it back
 * after a moment. The addon alone decides how long that is, and which waits the pool gets.
 */
export function guardPool(): void {
  if (evaluation.poolPatience === 0 || timer !== undefined) return
  timer = setTimeout(() => {
    timer = undefined
    native.leavePoolQueue()
  }, evaluation.poolPatience).unref()
}

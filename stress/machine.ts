import { readFileSync } from 'node:fs'

/**
 * How long tasks of this machine had to wait for a processor: PSI, proc_pressure_cpu(5). No trial is late by that time,
 * which others took; on a machine that is idle otherwise it is next to nothing.
 */
export class Machine {
  #since = stalled()

  /** Begins anew. */
  reset(): void {
    this.#since = stalled()
  }

  /** Milliseconds since `reset` in which somebody was ready to run and did not. */
  get standstill(): number {
    return stalled() - this.#since
  }
}

function stalled(): number {
  try {
    const [, total] = /^some .*total=(\d+)/.exec(readFileSync('/proc/pressure/cpu', 'utf8')) ?? []
    return Number(total ?? 0) / 1000
  } catch {
    return 0
  }
}

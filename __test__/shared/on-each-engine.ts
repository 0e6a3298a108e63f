import type { ExecutionContext } from 'ava'

import { type Engine, engines } from './engines.ts'
import { type ConditionalTest, type Need, requires } from './requires.ts'

/**
 * Declares a test for each engine, where every need is met; see {@link requires}.
 *
 * @example
 * ```ts
 * onEachEngine()('a permit goes back', (t, engine) => { ... ownLimit(t, 1, { engine }) ... })
 * ```
 */
export function onEachEngine(...needs: readonly Need[]): EngineTest {
  const declare =
    (run: ConditionalTest['serial']) =>
    (title: string, implementation: Implementation): void => {
      for (const engine of engines) run(`${title} (${engine})`, t => implementation(t, engine))
    }
  const met = requires(...needs)
  return Object.assign(declare(met), { serial: declare(met.serial) })
}

type Implementation = (t: ExecutionContext, engine: Engine) => void | Promise<void>

type Declare = (title: string, implementation: Implementation) => void

type EngineTest = Declare & { serial: Declare }

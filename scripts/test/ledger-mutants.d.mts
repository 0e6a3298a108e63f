export interface Mutant {
  name: string
  /** The source, below crates/os-ipc/src. */
  file: string
  from: string
  to: string
  /** The test of crates/os-ipc/tests/ledger_steps that fails. */
  fails: string
}

export const MUTANTS: readonly Mutant[]

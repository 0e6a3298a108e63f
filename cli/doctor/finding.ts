/** The level of a finding: `note` is for information, `warning` may cause a failure later, `problem` causes failures now. */
export type Level = 'ok' | 'note' | 'warning' | 'problem'

/** A finding of doctor, as `--json` prints it. */
export interface Finding {
  readonly level: Level
  /** The topic: `semaphores`, `/dev/shm`, ... */
  readonly topic: string
  readonly text: string
  /** The cures, in words or as command lines. */
  readonly cures: readonly string[]
}

export function finding(level: Level, topic: string, text: string, ...cures: string[]): Finding {
  return { level, topic, text, cures }
}

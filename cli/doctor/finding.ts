/** How serious a finding is: `note` is to be known, `warning` will bite some day, `problem` bites now. */
export type Level = 'ok' | 'note' | 'warning' | 'problem'

/** What the doctor found, as `--json` prints it. */
export interface Finding {
  readonly level: Level
  /** What it is about: `semaphores`, `/dev/shm`, ... */
  readonly topic: string
  readonly text: string
  /** What to do, in words or as command lines. */
  readonly cures: readonly string[]
}

export function finding(level: Level, topic: string, text: string, ...cures: string[]): Finding {
  return { level, topic, text, cures }
}

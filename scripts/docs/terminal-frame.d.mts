/** Text of one style. */
export interface Run {
  text: string
  style: { bold?: boolean; dim?: boolean; inverse?: boolean; color?: number | undefined }
}

export function lastFrame(output: string, columns: number, rows: number): Run[][]

import type { Run } from './terminal-frame.mjs'

export function svg(lines: readonly Run[][], title: string): string

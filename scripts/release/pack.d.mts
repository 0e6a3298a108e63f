import type { Target } from '../cross/targets.mjs'

export interface Packed {
  name: string
  version: string
  file: string
  size: number
  unpackedSize: number
  files: { path: string; size: number }[]
}

export function pack(folder: string, options?: { platforms?: readonly Target[] }): Packed[]

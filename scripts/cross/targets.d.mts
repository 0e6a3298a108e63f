export interface Target {
  name: string
  triple: string
  loaderTriple: string
  os: string
  cpu: string
  libc: string | undefined
  file: string
  folder: string
  path: string
  macos: string | undefined
}

export const GLIBC_FLOOR: string
export const targets: readonly Target[]
export const windowsTargets: readonly Target[]
export function selected(names: readonly string[]): readonly Target[]

export const kernelSet: string
export function valuesOf(name: string, counter: number): number[]

export const names: readonly string[]
export function find(name: string): string
export function tool(name: string): string

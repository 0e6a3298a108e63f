export function find(name: 'bun' | 'deno'): string
export function runtime(name: 'bun' | 'deno'): string

export const diagrams: Record<string, string>

export function buildWeb(source: string, target: string): Promise<boolean>

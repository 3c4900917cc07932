export interface Breach { file: string; line: number; rule: string; message: string; warning: boolean }
export function checkFloors(root: string): Breach[]

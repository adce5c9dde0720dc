export function turnsWithin(budget: number, milliseconds: number, most: number): number;
